#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_NAME_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_NAME_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/policy/subject.h"

// The names of accounts and groups. An account is a user ("alice"), a robot ("robot+deploy"), or an identity of an
// identity provider ("oidc+ci:repo:driftwood/web"). No user can have the name of another kind, or a name with a meaning
// in a policy.
namespace entrepot::auth {

// The user name of logins that send an identity provider's token as the password.
inline constexpr absl::string_view kIdentityTokenUser = "oidc";

// A user's name has up to 128 letters, digits, `.`, `_`, `-`, `@`, `+`, `$` or `\`, and begins with a letter, a digit
// or
// `_`. So names of other registries and of Windows domains fit: robot$ci, DOMAIN\user.
// kInvalidArgument: the name is invalid; the message gives the reason.
absl::Status CheckUserName(absl::string_view name);
// A robot's name, without the prefix, has up to 64 letters, digits, `.`, `_` or `-`, and begins with a letter or a
// digit.
absl::Status CheckRobotName(absl::string_view name);
// The same rules as for a robot's name.
absl::Status CheckGroupName(absl::string_view name);

// "robot+deploy"
std::string RobotAccount(absl::string_view name);
// The inverse; nullopt for other accounts.
std::optional<absl::string_view> RobotNameOf(absl::string_view account);
bool IsIdentityAccount(absl::string_view account);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_ACCOUNT_NAME_H_
