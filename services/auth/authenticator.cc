#include "services/auth/authenticator.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/auth/records/account_name.h"
#include "services/auth/records/secret.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using Request = v1::IssueTokenRequest;

// Nobody guesses it.
bool IsRandom(AuthMethod method) { return method != AuthMethod::kPassword; }

absl::string_view IdentityTokenOf(const Request& request) {
  if (request.credential_case() == Request::kIdentityToken) return request.identity_token();
  return request.password().password();
}

absl::string_view AnswerTo(AuthMethod method, const absl::Status& why) {
  // What is wrong with a provider's token, its holder may read in the token.
  if (method == AuthMethod::kIdentityToken) return why.message();
  if (method == AuthMethod::kRefreshToken) return "the refresh token is not valid, or not any more";
  return "the account or its password is wrong";
}

}  // namespace

absl::StatusOr<Account> Authenticator::Authenticate(const Request& request) {
  Claim claim = ClaimOf(request);
  if (claim.method == AuthMethod::kAnonymous) {
    parts_.metrics->CountAttempt(claim.method, AuthResult::kSuccess);
    return Account();
  }
  if (!IsRandom(claim.method)) {
    if (const auto refusal = parts_.limits->Check(request.remote_address(), claim.account)) {
      return TurnAway(request, claim, *refusal);
    }
  }
  absl::StatusOr<Account> account = Verify(request, &claim);
  if (!account.ok()) return Refuse(request, claim, account.status());
  claim.account = account->name();
  parts_.limits->CountSuccess(request.remote_address(), claim.account);
  parts_.last_uses->Record(claim.account);
  parts_.metrics->CountAttempt(claim.method, AuthResult::kSuccess);
  parts_.audit->Login(request, claim.account, claim.method, AuthResult::kSuccess, "");
  return account;
}

Authenticator::Claim Authenticator::ClaimOf(const Request& request) const {
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

absl::StatusOr<Account> Authenticator::Verify(const Request& request, Claim* claim) {
  switch (claim->method) {
    case AuthMethod::kPassword:
      return VerifyPassword(request.password());
    case AuthMethod::kRobotSecret:
      return VerifyRobotSecret(request.password());
    case AuthMethod::kRefreshToken:
      return VerifyRefreshToken(request.refresh_token(), claim);
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

absl::StatusOr<Account> Authenticator::VerifyRefreshToken(absl::string_view token, Claim* claim) {
  ASSIGN_OR_RETURN(const std::optional<RefreshTokens::Holder> holder, parts_.refresh_tokens->Find(token));
  if (!holder.has_value()) return absl::UnauthenticatedError("the refresh token is unknown, expired or revoked");
  claim->account = holder->account;
  ASSIGN_OR_RETURN(std::optional<Account> account, parts_.accounts->Find(holder->account));
  if (!account.has_value()) return absl::UnauthenticatedError("the refresh token's account is gone or has expired");
  if (!SecretsEqual(account->credential_sha256, holder->credential_sha256)) {
    return absl::UnauthenticatedError("the account has another credential than the refresh token was given for");
  }
  return *std::move(account);
}

absl::Status Authenticator::Refuse(const Request& request, const Claim& claim, const absl::Status& why) {
  if (!absl::IsUnauthenticated(why)) {
    const AuthResult result = absl::IsResourceExhausted(why) ? AuthResult::kLimited : AuthResult::kError;
    parts_.metrics->CountAttempt(claim.method, result);
    parts_.audit->Login(request, claim.account, claim.method, result, why.message());
    return why;
  }
  if (IsRandom(claim.method)) {
    if (const auto refusal = parts_.limits->Check(request.remote_address(), claim.account)) {
      return TurnAway(request, claim, *refusal);
    }
  }
  parts_.limits->CountFailure(request.remote_address(), claim.account);
  parts_.metrics->CountAttempt(claim.method, AuthResult::kFailure);
  parts_.audit->Login(request, claim.account, claim.method, AuthResult::kFailure, why.message());
  return OciError(OciErrorCode::kUnauthorized, AnswerTo(claim.method, why));
}

absl::Status Authenticator::TurnAway(const Request& request, const Claim& claim,
                                     const AttemptLimits::Refusal& refusal) {
  parts_.metrics->CountAttempt(claim.method, AuthResult::kLimited);
  parts_.metrics->CountLimited(refusal.by);
  parts_.audit->Login(request, claim.account, claim.method, AuthResult::kLimited,
                      absl::StrCat("too many failures by ", refusal.by));
  return OciError(OciErrorCode::kTooManyRequests,
                  absl::StrCat("too many wrong credentials: try again in ",
                               absl::ToInt64Seconds(absl::Ceil(refusal.retry_after, absl::Seconds(1))), " s"));
}

}  // namespace entrepot::auth
