//! Which tokens of the mix of mainnet are exchanged for which.

/// The exchange of the tokens that others are exchanged for.
pub(super) const BASES: usize = 2;

/// A token's counterpart at its exchange: three of four for ether, the fourth for token 2.
pub(super) const fn base(token: usize) -> usize {
    if token > 2 && token.is_multiple_of(4) { 2 } else { 0 }
}

/// The pairs of the exchanges, whose numbers are those of their second tokens; the first two come twice.
pub(super) fn exchange_pairs(tokens: usize) -> impl Iterator<Item = [usize; 2]> {
    [[0, 1], [0, 1]].into_iter().chain((2..tokens).map(|token| [base(token), token]))
}

/// A token with the same base as another one: the one given if it is.
pub(super) const fn like(token: usize, other: usize, tokens: usize) -> usize {
    let mut token = token;
    while base(token) != base(other) || token == other || token == 0 {
        token = (token + 1) % tokens;
    }
    token
}

/// A token that is no base itself and has another base than the one of another token: the one given if it is.
pub(super) const fn unlike(token: usize, other: usize, tokens: usize) -> usize {
    let mut token = token;
    while base(token) == base(other) || token < 3 {
        token = (token + 1) % tokens;
    }
    token
}
