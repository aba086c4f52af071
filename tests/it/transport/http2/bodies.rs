//! Bodies both ways, with their trailers and failures.

use super::*;

#[tokio::test]
async fn bodies_and_trailers_flow_both_ways() {
    let upstream = upstream(100, echo).await;
    let (pool, _) = upstream.pool(local());
    let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "7".parse().unwrap())]);
    let data = Bytes::from(vec![b'x'; 1_000_000]);
    let told = trailers.clone();
    let body = Body::from(data.to_vec()).with_trailers(async move { Some(Ok(told)) });
    let body = Body::new(body);
    let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), data);
}

/// A body that tells its end with an empty piece.
struct Ending(Vec<&'static str>);

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Error>>> {
        std::task::Poll::Ready(self.0.pop().map(|piece| Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

#[tokio::test]
async fn an_end_without_a_byte_is_an_end() {
    let upstream = upstream(100, echo).await;
    let (pool, _) = upstream.pool(local());
    let body = Body::new(Ending(vec!["", "b", "", "a"]));
    let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, text(response)).await.expect("never ends");
    assert_eq!(answer, "ab");
}

#[tokio::test]
async fn the_error_of_a_body_comes_back_as_it_was() {
    let upstream = upstream(100, |(request, response): Asked| async move {
        let mut body = request.into_body();
        while let Some(Ok(_)) = body.data().await {}
        drop(response);
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let (feeder, body) = fed();
    feeder.send(Ok("a")).await.unwrap();
    let failure = Error::new(ErrorKind::InvalidBody, Retry::Never, "client went away");
    feeder.send(Err(failure)).await.unwrap();
    let error = send(&pool, request(Method::POST, "/", body)).await.unwrap_err();
    assert_eq!((error.kind(), error.context()), (ErrorKind::InvalidBody, "client went away"));
}

#[tokio::test]
async fn an_answer_before_the_body_was_sent_is_passed_on_and_stops_the_upload() {
    let upstream = upstream(100, |(_, mut response): Asked| async move {
        let head = Response::builder().status(413).body(()).unwrap();
        response.send_response(head, true).unwrap();
        // What is not on its way yet a reset would take back.
        tokio::time::sleep(Duration::from_millis(20)).await;
        response.send_reset(Reason::NO_ERROR);
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let (feeder, body) = fed();
    feeder.send(Ok("a")).await.unwrap();
    let response = send(&pool, request(Method::POST, "/", body)).await.unwrap();
    assert_eq!(response.status(), 413);
    tokio::time::timeout(PATIENCE, feeder.closed()).await.expect("the upload goes on");
}

#[tokio::test]
async fn t_08_many_small_frames_of_a_backend_are_no_flood() {
    const FRAMES: usize = 1_000_000;
    let upstream = upstream(100, |(_, mut response): Asked| async move {
        let mut stream = response.send_response(ok(), false).unwrap();
        for _ in 0..FRAMES {
            while stream.capacity() < 100 {
                stream.reserve_capacity(100);
                let grown = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
                if !matches!(grown, Some(Ok(_))) {
                    return;
                }
            }
            stream.send_data(Bytes::from_static(&[b'x'; 100]), false).unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    })
    .await;
    let (pool, _) = upstream.pool(local());
    let text = get_text(&pool, "/").await;
    assert_eq!(text.len(), 100 * FRAMES);
}
