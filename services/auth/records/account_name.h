#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_NAME_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_NAME_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/policy/subject.h"

// What accounts and groups may be called. An account is a user ("alice"), a robot ("robot+deploy") or somebody whom an
// identity provider vouches for ("oidc+ci:repo:driftwood/web"); no user can have the name of another kind, nor one that
// a policy gives a meaning to.
namespace entrepot::auth {

// Whoever logs in as this sends an identity provider's token for a password.
inline constexpr absl::string_view kIdentityTokenUser = "oidc";

// Up to 128 letters, digits, and `.`, `_`, `-`, `@`, `+`, the first one a letter, a digit or `_`. kInvalidArgument:
// what is wrong with it.
absl::Status CheckUserName(absl::string_view name);
// Without the prefix: up to 64 letters, digits, `.`, `_`, `-`, the first one a letter or a digit.
absl::Status CheckRobotName(absl::string_view name);
// As a robot's.
absl::Status CheckGroupName(absl::string_view name);

// "robot+deploy"
std::string RobotAccount(absl::string_view name);
// The inverse; nullopt for other accounts.
std::optional<absl::string_view> RobotNameOf(absl::string_view account);
bool IsIdentityAccount(absl::string_view account);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_NAME_H_
