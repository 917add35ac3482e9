//! Where within functions a limit was hit.
//!
//! Rhai places a limit that is hit within a function where that function was called, and so on outwards until the place
//! is one of `filter`. So the body of every function is run by a handler of ours, which sees the failure before that.

use super::context::Context;
use super::error::Hit;
use rhai::{
    AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, Expression, LexError, Module, Position,
    ScriptFuncDef, Shared, Stmt, StmtBlock,
};
use std::mem::discriminant;
use std::sync::Arc;

/// A symbol that no script can use.
const KEY: &str = "$";

/// What is run in place of a function's body: the body itself, watched.
#[derive(Clone)]
struct Body(Arc<Expr>);

/// Let `engine` run functions that were changed by [`watched`], and tell `context` where they are stopped.
pub(super) fn register(engine: &mut Engine, context: &Arc<Context>) {
    let context = Arc::clone(context);
    engine.register_custom_syntax_with_state_raw(
        KEY,
        |_, _, _| Err(LexError::UnexpectedInput(KEY.to_owned()).into_err(Position::NONE)),
        false,
        move |run, _, state| {
            let body = state.read_lock::<Body>().map(|body| body.clone());
            let Some(Body(body)) = body else {
                return Ok(Dynamic::UNIT);
            };
            let result = run.eval_expression_tree(&Expression::from(&*body));
            result.inspect_err(|error| {
                if error.is_system_exception() {
                    context.hit(|| hit(error, run.source()));
                }
            })
        },
    );
}

fn hit(error: &EvalAltResult, source: Option<&str>) -> Hit {
    Hit {
        what: discriminant(error),
        file: source.map(Into::into),
        position: error.position(),
    }
}

/// `ast`, with functions that tell where they are stopped.
pub(super) fn watched(ast: &AST) -> AST {
    let mut functions = Module::new();
    for (.., function) in ast.shared_lib().iter_script_fn_info() {
        if let Some(function) = watch(function) {
            functions.set_script_fn(function);
        }
    }
    ast.merge(&AST::new([], functions))
}

/// `None` for a function without a body, in which nothing can be stopped.
fn watch(function: &Shared<ScriptFuncDef>) -> Option<ScriptFuncDef> {
    let statements = statements(function);
    if statements.is_empty() {
        return None;
    }
    let start = function.body.start_position();
    let block = StmtBlock::new(statements, start, function.body.end_position());
    let body = Body(Arc::new(Expr::Stmt(Box::new(block))));
    // There is no other way to a function's body than to parse one.
    let mut mould = Engine::new_raw();
    mould.register_custom_syntax_with_state_raw(
        KEY,
        move |_, _, state| {
            *state = Dynamic::from(body.clone());
            Ok(None)
        },
        false,
        |_, _, _| Ok(Dynamic::UNIT),
    );
    let moulded = mould.compile(format!("fn body() {{ {KEY} }}")).ok()?;
    let (.., moulded) = moulded.shared_lib().iter_script_fn_info().next()?;
    let mut watched = ScriptFuncDef::clone(function);
    watched.body = moulded.body.clone();
    Some(watched)
}

fn statements(function: &Shared<ScriptFuncDef>) -> Vec<Stmt> {
    let mut alone = Module::new();
    alone.set_script_fn(Shared::clone(function));
    let mut statements = Vec::new();
    AST::new([], alone).walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}
