//! Groups as users of `smol_macros` write them.

use std::rc::Rc;
use std::sync::Arc;

use neap::Group;
use smol_macros::{Executor, LocalExecutor, main, test};

test! {
    async fn in_place() {
        let mut group = Group::new();
        group.add("hello", async |_| {});
        group.run().await.unwrap();
    }
}

test! {
    async fn on_a_borrowed_executor(executor: &Executor<'_>) {
        let mut group = Group::new();
        group.add("hello", async |_| {});
        group.run_on(|task| executor.spawn(task).detach()).await.unwrap();
    }
}

test! {
    async fn on_an_executor_that_is_shared(executor: Arc<Executor<'_>>) {
        let mut group = Group::new();
        group.add("hello", async |_| {});
        group.run_on(|task| executor.spawn(task).detach()).await.unwrap();
    }
}

test! {
    async fn on_a_borrowed_local_executor(executor: &LocalExecutor<'_>) -> Result<(), neap::Error> {
        let (text, mut group) = (Rc::new("shared"), Group::local());
        group.add("hello", async move |_| assert_eq!(text.len(), 6));
        group.run_on(|task| executor.spawn(task)).await?;
        Ok(())
    }
}

main! {
    async fn program(executor: &Executor<'_>) -> Result<(), neap::Error> {
        let mut group = Group::new();
        group.add("hello", async |scope| {
            scope.spawn(async { println!("hello") });
        });
        group.run_on(|task| executor.spawn(task).detach()).await?;
        Ok(())
    }
}

#[test]
fn a_main_function() -> Result<(), neap::Error> {
    program()
}
