#include "services/auth/authenticator.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/auth/records/account_name.h"
#include "services/auth/records/secret.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using Request = v1::IssueTokenRequest;

// Whether the credential cannot be guessed.
bool IsRandom(AuthMethod method) { return method != AuthMethod::kPassword; }

absl::string_view IdentityTokenOf(const Request& request) {
  if (request.credential_case() == Request::kIdentityToken) return request.identity_token();
  return request.password().password();
}

absl::string_view AnswerTo(AuthMethod method, const absl::Status& why) {
  // The holder of a provider's token can read the token, so the message may say what is wrong with it.
  if (method == AuthMethod::kIdentityToken) return why.message();
  if (method == AuthMethod::kRefreshToken) return "the refresh token is not valid or no longer valid";
  return "the account or its password is wrong";
}

}  // namespace

absl::StatusOr<Account> Authenticator::Authenticate(const Request& request) {
  Attempt attempt = AttemptOf(request);
  if (attempt.method == AuthMethod::kAnonymous) {
    parts_.metrics->CountAttempt(attempt.method, AuthResult::kSuccess);
    return Account();
  }
  if (!IsRandom(attempt.method)) {
    const auto refusal = parts_.limits->Check(request.remote_address(), attempt.account);
    if (refusal.has_value() && !LoggedInLately(request, *refusal)) return RejectOverLimit(request, attempt, *refusal);
  }
  absl::StatusOr<Account> account = Verify(request, &attempt);
  if (!account.ok()) return RejectCredential(request, attempt, account.status());
  attempt.account = account->name();
  parts_.limits->CountSuccess(request.remote_address(), attempt.account);
  parts_.last_uses->Record(attempt.account);
  parts_.metrics->CountAttempt(attempt.method, AuthResult::kSuccess);
  parts_.audit->Login(request, attempt.account, attempt.method, AuthResult::kSuccess, "");
  return account;
}

Authenticator::Attempt Authenticator::AttemptOf(const Request& request) const {
  switch (request.credential_case()) {
    case Request::kPassword: {
      const std::string& account = request.password().account();
      if (account == kIdentityTokenUser) return {.method = AuthMethod::kIdentityToken, .account = account};
      if (RobotNameOf(account).has_value()) return {.method = AuthMethod::kRobotSecret, .account = account};
      return {.method = AuthMethod::kPassword, .account = account};
    }
    case Request::kRefreshToken:
      return {.method = AuthMethod::kRefreshToken, .account = ""};
    case Request::kIdentityToken:
      return {.method = AuthMethod::kIdentityToken, .account = std::string(kIdentityTokenUser)};
    case Request::CREDENTIAL_NOT_SET:
      break;
  }
  return {.method = AuthMethod::kAnonymous, .account = ""};
}

absl::StatusOr<Account> Authenticator::Verify(const Request& request, Attempt* attempt) {
  switch (attempt->method) {
    case AuthMethod::kPassword:
      return VerifyPassword(request.password());
    case AuthMethod::kRobotSecret:
      return VerifyRobotSecret(request.password());
    case AuthMethod::kRefreshToken:
      return VerifyRefreshToken(request.refresh_token(), attempt);
    case AuthMethod::kIdentityToken:
      return parts_.verify_identity(IdentityTokenOf(request));
    case AuthMethod::kAnonymous:
      break;
  }
  return Account();
}

absl::StatusOr<Account> Authenticator::VerifyPassword(const v1::PasswordCredential& credential) {
  const std::string& name = credential.account();
  ASSIGN_OR_RETURN(const std::optional<BcryptHash> hash, parts_.accounts->PasswordHashOf(name));
  ASSIGN_OR_RETURN(const bool right,
                   parts_.passwords->Verify(name, credential.password(), hash, parts_.accounts->hash_cost_max()));
  if (!hash.has_value()) return absl::UnauthenticatedError("there is no such user");
  if (!right) return absl::UnauthenticatedError("the password is wrong");
  return parts_.accounts->UserAccount(name, *hash);
}

absl::StatusOr<Account> Authenticator::VerifyRobotSecret(const v1::PasswordCredential& credential) {
  ASSIGN_OR_RETURN(const Robots::Robot robot, parts_.accounts->FindRobot(credential.account()));
  if (!SecretsEqual(Sha256(credential.password()), robot.secret_sha256)) {
    return absl::UnauthenticatedError("the secret is wrong");
  }
  if (parts_.accounts->IsExpired(robot)) return absl::UnauthenticatedError("the robot has expired");
  return parts_.accounts->RobotAccount(robot);
}

absl::StatusOr<Account> Authenticator::VerifyRefreshToken(absl::string_view token, Attempt* attempt) {
  ASSIGN_OR_RETURN(const std::optional<RefreshTokens::Holder> holder, parts_.refresh_tokens->Find(token));
  if (!holder.has_value()) return absl::UnauthenticatedError("the refresh token is unknown, expired or revoked");
  attempt->account = holder->account;
  ASSIGN_OR_RETURN(std::optional<Account> account, parts_.accounts->Find(holder->account));
  if (!account.has_value()) return absl::UnauthenticatedError("the refresh token's account was deleted or has expired");
  if (!SecretsEqual(account->credential_sha256, holder->credential_sha256)) {
    return absl::UnauthenticatedError("the account's credential has changed since the refresh token was issued");
  }
  return *std::move(account);
}

bool Authenticator::LoggedInLately(const Request& request, const AttemptLimits::Refusal& refusal) {
  if (!refusal.known) return false;
  const v1::PasswordCredential& credential = request.password();
  const auto hash = parts_.accounts->PasswordHashOf(credential.account());
  if (hash.ok() && hash->has_value() &&
      parts_.passwords->VerifiedLately(credential.account(), credential.password(), **hash)) {
    return true;
  }
  parts_.limits->CountComparison(request.remote_address(), credential.account());
  return false;
}

absl::Status Authenticator::RejectCredential(const Request& request, const Attempt& attempt, const absl::Status& why) {
  if (!absl::IsUnauthenticated(why)) {
    const AuthResult result = absl::IsResourceExhausted(why) ? AuthResult::kLimited : AuthResult::kError;
    parts_.metrics->CountAttempt(attempt.method, result);
    parts_.audit->Login(request, attempt.account, attempt.method, result, why.message());
    return why;
  }
  if (IsRandom(attempt.method)) {
    if (const auto refusal = parts_.limits->Check(request.remote_address(), attempt.account)) {
      return RejectOverLimit(request, attempt, *refusal);
    }
  }
  parts_.limits->CountFailure(request.remote_address(), attempt.account);
  parts_.metrics->CountAttempt(attempt.method, AuthResult::kFailure);
  parts_.audit->Login(request, attempt.account, attempt.method, AuthResult::kFailure, why.message());
  return OciError(OciErrorCode::kUnauthorized, AnswerTo(attempt.method, why));
}

absl::Status Authenticator::RejectOverLimit(const Request& request, const Attempt& attempt,
                                            const AttemptLimits::Refusal& refusal) {
  parts_.metrics->CountAttempt(attempt.method, AuthResult::kLimited);
  parts_.metrics->CountLimited(refusal.by);
  parts_.audit->Login(request, attempt.account, attempt.method, AuthResult::kLimited,
                      absl::StrCat("too many failures by ", refusal.by));
  return WithRetryAfter(OciError(OciErrorCode::kTooManyRequests,
                                 absl::StrCat("too many wrong credentials (authentication.failed_attempts_max): try "
                                              "again in ",
                                              RetryAfterSeconds(refusal.retry_after), " s")),
                        refusal.retry_after);
}

}  // namespace entrepot::auth
