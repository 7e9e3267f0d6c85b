//! Answers that say no, and answers that are lost.

use persevere_faults::{Answer, Fault, Plan, Request, Rule};

use crate::place::Place;

/// Whether it sends a part.
pub(crate) fn is_part(request: &Request) -> bool {
    let has = |text| request.target().contains(text);
    request.method() == "PUT" && (has("partNumber=") || has("comp=block&"))
}

/// Whether it begins an upload in parts.
fn is_beginning(request: &Request) -> bool {
    request.method() == "POST" && request.target().contains("?uploads")
}

/// Whether it makes an object of its parts.
fn is_end(request: &Request) -> bool {
    let has = |text| request.target().contains(text);
    (request.method() == "POST" && has("uploadId=")) || has("comp=blocklist")
}

fn plan(rule: Rule) -> Plan {
    Plan::new().seed(3).rule(rule)
}

pub(crate) async fn slow_down(place: &Place) {
    let busy = || plan(Rule::new(Fault::slow_down(Some(1))).probability(0.3));
    place.faults(busy());
    let sent = place.sends(place.small()).await;
    assert!(sent.retries > 0);
    place.faults(busy());
    let fetched = place.fetches(place.small()).await;
    assert!(fetched.retries > 0);
}

pub(crate) async fn too_many_requests(place: &Place) {
    let busy = Fault::Answer(Answer::too_many_requests(Some(1)));
    place.faults(plan(Rule::new(busy.clone()).every(3)));
    let sent = place.sends(place.small()).await;
    assert!(sent.retries > 0);
    place.faults(plan(Rule::new(busy).every(3)));
    let fetched = place.fetches(place.small()).await;
    assert!(fetched.retries > 0);
}

/// It is not carried out, and the status is 200.
pub(crate) async fn an_internal_error_at_the_end(place: &Place) {
    let error = Fault::Answer(Answer::internal_error_in_200());
    place.faults(plan(Rule::new(error).when(is_end).nth(1)));
    let sent = place.sends(place.small()).await;
    assert_eq!(sent.retries, 1);
}

/// It is carried out all the same.
pub(crate) async fn an_internal_error_after_the_end(place: &Place) {
    let error = Fault::ReplaceAnswer(Answer::internal_error_in_200());
    place.faults(plan(Rule::new(error).when(is_end).nth(1)));
    let sent = place.sends(place.small()).await;
    // moto also fails when it is asked again for what it has finished.
    assert!(sent.retries >= 1);
}

pub(crate) async fn the_lost_answer_to_the_end(place: &Place) {
    place.faults(plan(Rule::new(Fault::LoseAnswer).when(is_end).nth(1)));
    let sent = place.sends(place.small()).await;
    assert_eq!(sent.retries, 1);
    assert_eq!(sent.resumed, 0, "it was not sent anew");
}

pub(crate) async fn the_lost_answer_to_the_beginning(place: &Place) {
    place.faults(plan(Rule::new(Fault::LoseAnswer).when(is_beginning).nth(1)));
    let sent = place.sends(place.small()).await;
    assert_eq!(sent.retries, 1);
}

pub(crate) async fn the_lost_answer_to_a_part(place: &Place) {
    place.faults(plan(Rule::new(Fault::LoseAnswer).when(is_part).nth(2)));
    let sent = place.sends(place.small()).await;
    assert_eq!(sent.retries, 1);
}

pub(crate) async fn the_lost_answer_to_a_whole_object(place: &Place) {
    place.faults(plan(Rule::new(Fault::LoseAnswer).method("PUT").nth(1)));
    let sent = place.sends(1_000).await;
    assert_eq!(sent.retries, 1);
}

/// Everything begins anew, once, and what was sent in vain is taken away.
pub(crate) async fn an_upload_that_is_said_to_be_gone(place: &Place) {
    let gone = Answer::s3_error(404, "NoSuchUpload", "The specified upload does not exist.");
    place.faults(plan(Rule::new(Fault::Answer(gone)).when(is_part).nth(2)));
    let source = place.file("source", place.small(), 1);
    // One after the other: the server would carry out those that are under way, even after the upload was
    // aborted.
    let options = place.options().concurrency(1);
    place.storage.upload(source, &place.key, &options).await.unwrap();
    place.assert_sent().await;
    assert_eq!(place.upload_ids().len(), 2);
}
