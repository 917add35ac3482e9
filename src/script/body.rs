//! The body of `filter` as the script itself, so that a run which is stopped by a limit tells where.
//!
//! Rhai places a limit that is hit within a function where the function was called, and nobody in the script calls
//! `filter`. What the script itself does keeps its place; for other functions see `inner`.

use super::Entry;
use rhai::{AST, ASTFlags, ASTNode, Expr, Ident, ImmutableString, Module, Namespace};
use rhai::{Position, Stmt, StmtBlock};

/// The event on its way past what stands outside of functions; no script can write such a name.
const ON_ITS_WAY: &str = "the event";

/// The script `ast` with the body of its `filter`, whose parameter is `parameter`, as its last statement; and how it is
/// entered. `position` is where `filter` is.
pub(super) fn flatten(ast: &AST, parameter: &str, position: Position) -> (AST, Entry) {
    let mut added = Vec::new();
    // Variables are found by their distance from the last one, so the event must come right before the body.
    let event = if ast.statements().is_empty() {
        parameter
    } else {
        added.push(declaration(parameter, position));
        ON_ITS_WAY
    };
    let body = StmtBlock::new(statements_of_filter(ast), position, position);
    added.push(Stmt::Block(Box::new(body)));
    let entry = Entry::Filter {
        position,
        event: event.into(),
    };
    (ast.merge(&AST::new(added, Module::new())), entry)
}

/// `let parameter = the event;`
fn declaration(parameter: &str, position: Position) -> Stmt {
    let event = (None, ON_ITS_WAY.into(), Namespace::NONE, 0);
    let name = Ident {
        name: ImmutableString::from(parameter),
        pos: position,
    };
    let event = Expr::Variable(Box::new(event), None, position);
    Stmt::Var(Box::new((name, event, None)), ASTFlags::empty(), position)
}

fn statements_of_filter(ast: &AST) -> Vec<Stmt> {
    let mut filter = ast.clone_functions_only();
    filter.retain_functions(|_, _, name, parameters| name == "filter" && parameters == 1);
    let mut statements = Vec::new();
    filter.walk(&mut |path| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}
