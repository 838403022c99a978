#include "services/upstream/login/upstream_authorization.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/status/status_macros.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

constexpr absl::string_view kBearer = "Bearer ";
constexpr absl::string_view kBasic = "Basic ";
constexpr size_t kScopeBytesMax = 512;
// If a registry refuses credentials that the helper gave less than this long ago, the helper is not asked again: it is
// the request that is refused.
constexpr absl::Duration kHelperAgeMin = absl::Minutes(1);

bool IsScope(absl::string_view text) {
  return !text.empty() && text.size() <= kScopeBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
}

// A challenge may name no scope, a placeholder, or more than pulling. Of the upstream's own challenges only a scope of
// another type counts (public.ecr.aws: "aws"); those of other origins name a repository of theirs.
std::string ScopeOf(const AuthChallenge& challenge, const std::string& repository, bool is_own) {
  const std::string& challenged = challenge.Parameter("scope");
  if (IsScope(challenged) && (!is_own || !absl::StartsWith(challenged, "repository:"))) return challenged;
  // The API's root belongs to no repository.
  return repository.empty() ? "" : absl::StrCat("repository:", repository, ":pull");
}

std::string TokenKey(const std::string& origin, const std::string& scope) { return absl::StrCat(origin, " ", scope); }

}  // namespace

UpstreamAuthorization::UpstreamAuthorization(Parts parts) : parts_(std::move(parts)), cache_(parts_.clock) {}

absl::StatusOr<std::string> UpstreamAuthorization::FieldFor(const std::string& origin, const std::string& repository) {
  const std::optional<AuthChallenge> challenge = ChallengeOf(origin, repository);
  if (!challenge.has_value()) return "";
  if (challenge->scheme == "bearer") return BearerField(origin, repository, *challenge);
  return origin == parts_.own_origin ? BasicField() : "";
}

absl::StatusOr<std::string> UpstreamAuthorization::BearerField(const std::string& origin, const std::string& repository,
                                                               const AuthChallenge& challenge) {
  const bool is_own = origin == parts_.own_origin;
  const std::string scope = ScopeOf(challenge, repository, is_own);
  const auto token =
      cache_.Get(TokenKey(origin, scope), [&] { return parts_.tokens->Request(challenge, scope, is_own); });
  if (token.ok()) return absl::StrCat(kBearer, *token);
  // The registry may have moved its token service: its next challenge counts.
  const std::optional<UpstreamFailure> failure = FailureOf(token.status());
  if (failure == UpstreamFailure::kDenied || failure == UpstreamFailure::kInvalid) {
    Remember(origin, repository, std::nullopt);
  }
  return token.status();
}

absl::StatusOr<std::string> UpstreamAuthorization::BasicField() {
  const auto credentials = parts_.credentials->Get();
  if (absl::IsCancelled(credentials.status())) return credentials.status();
  if (!credentials.ok()) {
    return UpstreamError(UpstreamFailure::kUnavailable,
                         absl::StrCat(parts_.upstream, ": ", credentials.status().message()));
  }
  if (!credentials->has_value()) return "";
  if (parts_.refused->Contains(**credentials, "")) {
    return UpstreamError(UpstreamFailure::kDenied,
                         absl::StrCat(parts_.upstream, " has refused its credentials within the last minute"));
  }
  return BasicAuthorization(**credentials);
}

bool UpstreamAuthorization::Learn(const std::string& origin, const std::string& repository, const std::string& field,
                                  const outbound::HopHead& head) {
  if (absl::StartsWith(field, kBasic)) return origin == parts_.own_origin && LearnFromBasic(head.status, field);
  const auto challenge = ChooseChallenge(ParseAuthChallenges(head.Fields("www-authenticate")));
  if (absl::StartsWith(field, kBearer)) {
    // nvcr.io answers an expired token with another realm, which gives anonymous callers no token. The first realm
    // stays.
    const auto known = ChallengeOf(origin, repository);
    if (known.has_value()) {
      const std::string scope = ScopeOf(*known, repository, origin == parts_.own_origin);
      cache_.Drop(TokenKey(origin, scope), absl::StripPrefix(field, kBearer));
    }
    if (challenge.has_value() && challenge->scheme == "basic") Remember(origin, repository, challenge);
    return true;
  }
  if (head.status != 401 || !challenge.has_value()) return false;
  if (challenge->scheme == "basic") {
    if (origin != parts_.own_origin) return false;
    // An error of the source is for FieldFor() to return.
    const auto credentials = parts_.credentials->Get();
    if (credentials.ok() && !credentials->has_value()) return false;
  }
  Remember(origin, repository, challenge);
  return true;
}

bool UpstreamAuthorization::LearnFromBasic(int status, const std::string& field) {
  const auto credentials = parts_.credentials->Get();
  // Others have replaced those that were refused.
  if (!credentials.ok() || !credentials->has_value() || BasicAuthorization(**credentials) != field) return true;
  if (status != 401) return parts_.credentials->Drop(**credentials, kHelperAgeMin);
  parts_.refused->Add(**credentials, "");
  return parts_.credentials->Drop(**credentials);
}

std::optional<AuthChallenge> UpstreamAuthorization::ChallengeOf(const std::string& origin,
                                                                const std::string& repository) {
  absl::MutexLock lock(&mutex_);
  if (origin == parts_.own_origin) return own_challenge_;
  const AuthChallenge* challenge = foreign_challenges_.Find(TokenKey(origin, repository));
  return challenge != nullptr ? std::optional(*challenge) : std::nullopt;
}

void UpstreamAuthorization::Remember(const std::string& origin, const std::string& repository,
                                     std::optional<AuthChallenge> challenge) {
  absl::MutexLock lock(&mutex_);
  if (origin == parts_.own_origin) {
    own_challenge_ = std::move(challenge);
  } else if (challenge.has_value()) {
    foreign_challenges_[TokenKey(origin, repository)] = *std::move(challenge);
  } else {
    foreign_challenges_.Erase(TokenKey(origin, repository));
  }
}

}  // namespace entrepot::upstream
