//! When two have read the same.

use super::ADDED;
use super::origin::Heard;

/// What came of one conversation with a server.
#[derive(Debug)]
pub(super) struct Answered {
    /// What its client was told.
    pub(super) statuses: Vec<u16>,
    /// What its origin read, in order.
    pub(super) heard: Vec<Heard>,
}

impl Answered {
    pub(super) fn forwarded(&self) -> bool {
        !self.heard.is_empty()
    }

    /// Whether something in it was refused: the origin answers everything with 200.
    pub(super) fn refused(&self) -> bool {
        self.statuses.iter().any(|status| *status != 200)
    }

    /// The bytes that came to the origin.
    pub(super) fn written(&self) -> Vec<u8> {
        self.heard.iter().flat_map(|heard| heard.raw.clone()).collect()
    }

    /// The marks of what is odd in it: all but its plain end.
    pub(super) fn odd(&self) -> impl Iterator<Item = &str> {
        let marks = self.heard.iter().map(|heard| heard.mark.as_str());
        marks.filter(|mark| !mark.ends_with(".end"))
    }

    fn one(&self, mark: &str) -> Option<&Heard> {
        self.heard.iter().find(|heard| heard.mark == mark)
    }
}

/// How two servers that were sent the same bytes differ in what they forwarded.
///
/// What both forwarded must be the same requests in the same order. Where neither refused anything, one
/// must not have found requests that the other has not: either may only have closed earlier.
pub(super) fn disagreements(ours: &Answered, theirs: &Answered) -> Vec<String> {
    let mut told = Vec::new();
    for own in &ours.heard {
        if let Some(other) = theirs.one(&own.mark)
            && own.view() != other.view()
        {
            told.push(format!("{}: {:?} or {:?}", own.mark, own.view(), other.view()));
        }
    }
    let common = |one: &Answered, other: &Answered| {
        let both = one.heard.iter().filter(|heard| other.one(&heard.mark).is_some());
        both.map(|heard| heard.mark.clone()).collect::<Vec<_>>()
    };
    let (own, other) = (common(ours, theirs), common(theirs, ours));
    if own != other {
        told.push(format!("in the order {own:?} or {other:?}"));
    }
    let marks = |all: &Answered| all.heard.iter().map(|it| it.mark.clone()).collect::<Vec<_>>();
    let (own, other) = (marks(ours), marks(theirs));
    let begins = own.starts_with(&other) || other.starts_with(&own);
    if !begins && !ours.refused() && !theirs.refused() {
        told.push(format!("{own:?} or {other:?}"));
    }
    told
}

/// How a server misread what our gateway wrote. What it read must be the same requests, up to one that
/// it refused; and at their end the one that was added.
pub(super) fn misread(ours: &Answered, read: &Answered) -> Option<String> {
    let (added, whole): (Vec<_>, Vec<_>) =
        read.heard.iter().partition(|heard| heard.mark.ends_with(ADDED));
    for heard in &whole {
        let own = ours.one(&heard.mark).map(Heard::view);
        if own != Some(heard.view()) {
            return Some(format!("{:?}, not {own:?}", heard.view()));
        }
    }
    if added.iter().any(|heard| !heard.body.is_empty() || heard.target != "/end") {
        return Some(format!("{added:?}"));
    }
    let all = (whole.len(), added.len()) == (ours.heard.len(), 1);
    (!read.refused() && !all).then(|| format!("not {} and 1: {read:?}", ours.heard.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(mark: &str, target: &str, body: &str) -> Heard {
        Heard {
            mark: mark.to_owned(),
            method: "GET".to_owned(),
            target: target.to_owned(),
            hosts: vec!["a".to_owned()],
            framing: Vec::new(),
            body: body.into(),
            raw: Vec::new(),
            broken: None,
        }
    }

    fn answered(statuses: &[u16], heard: &[Heard]) -> Answered {
        Answered { statuses: statuses.to_vec(), heard: heard.to_vec() }
    }

    #[test]
    fn other_requests_are_told() {
        let one = || heard("1.0", "/x", "body");
        let [end, inner] = [heard("1.end", "/end", ""), heard("1.0.inner", "/smuggled", "")];
        let ours = answered(&[200, 200], &[one(), end.clone()]);
        assert!(disagreements(&ours, &ours).is_empty());
        // Refused, closed earlier, or written in another way: the same.
        let fine = [
            answered(&[400], &[]),
            answered(&[200], &[one()]),
            answered(&[405, 200], std::slice::from_ref(&end)),
            answered(&[200, 200], &[heard("1.0", "http://a/x", "body"), end.clone()]),
        ];
        for theirs in fine {
            assert!(disagreements(&ours, &theirs).is_empty(), "{theirs:?}");
            assert!(disagreements(&theirs, &ours).is_empty(), "{theirs:?}");
        }
        let other = [
            answered(&[200], &[heard("1.0", "/y", "body")]),
            answered(&[200], &[heard("1.0", "/x", "bod")]),
            answered(&[200; 2], &[end.clone(), one()]),
            answered(&[200; 3], &[one(), inner.clone(), end]),
            answered(&[200; 1], &[inner]),
        ];
        for theirs in other {
            assert!(!disagreements(&ours, &theirs).is_empty(), "{theirs:?}");
            assert!(!disagreements(&theirs, &ours).is_empty(), "{theirs:?}");
        }
    }

    #[test]
    fn misreadings_are_told() {
        let (one, added) = (heard("1.0", "/x", "body"), heard("1.added", "/end", ""));
        let ours = answered(&[200], std::slice::from_ref(&one));
        for fine in [
            answered(&[200, 200], &[one.clone(), added.clone()]),
            answered(&[400], &[]),
            answered(&[200, 400], std::slice::from_ref(&one)),
        ] {
            assert_eq!(misread(&ours, &fine), None);
        }
        for wrong in [
            answered(&[200], std::slice::from_ref(&one)),
            answered(&[400], &[heard("1.0", "/x", "")]),
            answered(&[200; 2], &[one.clone(), heard("1.added", "/end", "x")]),
            answered(&[200; 3], &[one.clone(), heard("1.0.inner", "/", ""), added]),
        ] {
            assert!(misread(&ours, &wrong).is_some(), "{wrong:?}");
        }
    }
}
