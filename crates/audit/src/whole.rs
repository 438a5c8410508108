//! `Whole`: what rules ask of a project as a whole while they look at one route.
//!
//! Each question is answered once for a project. A kept result depends on the answers, not on every file that was looked at to
//! find them: the cache asks again, and compares.

mod sign;
mod variable;

use std::cell::RefCell;

use portcullis_code::{body::ModuleId, project::Project};
use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::route::Site;

/// A question about a whole project. A new one is named in `cache/kept.rs`, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// Whether the application cannot start without a variable of the environment: a module throws at its top, or a schema
    /// of the environment demands it.
    Demands(Ustr),
    /// Where something is compared with a variable of the environment: the smallest comparison whose text names it, one in
    /// the given module before others.
    Compared(Ustr, ModuleId),
    /// Whether what a file declares hashes what it is given: a hook, a setter.
    Hashes(Ustr),
    /// Whether any module asks for the size or the type of what was stored.
    LooksAtSize,
    /// Whether the project says that it runs in a container, and not on a platform that starts functions by need.
    RunsAsOne,
    /// Whether any module signs a cookie by Express or reads a signed one.
    SignsCookies,
}

/// What a question is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No, or nowhere.
    No,
    /// Yes.
    Yes,
    /// There.
    At(Site),
}

impl Answer {
    /// Whether it is not no.
    pub(crate) fn is_yes(self) -> bool {
        self != Self::No
    }

    /// Where, if it says so.
    pub(crate) const fn site(self) -> Option<Site> {
        match self {
            Self::At(site) => Some(site),
            Self::No | Self::Yes => None,
        }
    }
}

impl From<bool> for Answer {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

impl From<Option<Site>> for Answer {
    fn from(site: Option<Site>) -> Self {
        site.map_or(Self::No, Self::At)
    }
}

/// The questions that were asked so far, with their answers.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    numbers: RefCell<FxHashMap<Question, u32>>,
    asked: RefCell<Vec<(Question, Option<Answer>)>>,
}

impl Whole {
    /// Answers a question. Who asks is noted to depend on the answer.
    pub(crate) fn ask(&self, project: &Project, question: Question) -> Answer {
        let number = self.number(question);
        let known = |asked: &[(Question, Option<Answer>)]| asked.get(number as usize)?.1;
        let known = known(&self.asked.borrow());
        let answer = project.asking(number, || {
            known.unwrap_or_else(|| answer(project, question))
        });
        if let Some(place) = self.asked.borrow_mut().get_mut(number as usize) {
            place.1 = Some(answer);
        }
        answer
    }

    /// The question that has a number.
    pub(crate) fn question(&self, number: u32) -> Option<Question> {
        Some(self.asked.borrow().get(number as usize)?.0)
    }

    fn number(&self, question: Question) -> u32 {
        let mut asked = self.asked.borrow_mut();
        *self
            .numbers
            .borrow_mut()
            .entry(question)
            .or_insert_with(|| {
                asked.push((question, None));
                u32::try_from(asked.len() - 1).unwrap_or(u32::MAX)
            })
    }
}

fn answer(project: &Project, question: Question) -> Answer {
    match question {
        Question::Demands(name) => variable::demands(project, name).into(),
        Question::Compared(name, own) => variable::compared(project, name, own).into(),
        Question::Hashes(file) => sign::hashes(project, file).into(),
        Question::LooksAtSize => sign::looks_at_size(project).into(),
        Question::RunsAsOne => sign::runs_as_one(project).into(),
        Question::SignsCookies => sign::signs_cookies(project).into(),
    }
}
