#include "services/auth/accounts/audit_trail.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace entrepot::auth {
namespace {

// Text from a client may have any length.
constexpr size_t kTextBytesMax = 512;
constexpr size_t kScopesBytesMax = 8192;

absl::string_view Bounded(absl::string_view text, size_t bytes_max = kTextBytesMax) {
  return text.substr(0, bytes_max);
}

// The name of the command, such as "create_user".
std::string CommandName(const v1::AdministerRequest& request) {
  const auto* const oneof = v1::AdministerRequest::descriptor()->FindOneofByName("command");
  const auto* const field = v1::AdministerRequest::GetReflection()->GetOneofFieldDescriptor(request, oneof);
  return field == nullptr ? "none" : std::string(field->name());
}

// The account, group or other object of the command. Fields that are not named here are not logged.
std::string TargetOf(const v1::AdministerRequest& request) {
  using Request = v1::AdministerRequest;
  switch (request.command_case()) {
    case Request::kCreateUser:
      return request.create_user().name();
    case Request::kSetPassword:
      return request.set_password().name();
    case Request::kDeleteUser:
      return request.delete_user().name();
    case Request::kCreateRobot:
      return request.create_robot().name();
    case Request::kRotateRobotSecret:
      return request.rotate_robot_secret().name();
    case Request::kDeleteRobot:
      return request.delete_robot().name();
    case Request::kAddToGroup:
      return absl::StrCat(request.add_to_group().account(), " to ", request.add_to_group().group());
    case Request::kRemoveFromGroup:
      return absl::StrCat(request.remove_from_group().account(), " from ", request.remove_from_group().group());
    case Request::kRevokeRefreshTokens:
      return request.revoke_refresh_tokens().account();
    case Request::kExplain:
      return absl::StrCat(request.explain().subject(), " ", request.explain().action(), " ",
                          request.explain().repository());
    case Request::kBackUpAccounts:
      return request.back_up_accounts().name();
    default:
      return "";
  }
}

absl::string_view DecisionOf(const absl::Status& status) {
  if (status.ok()) return "done";
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status) ? "denied" : "failed";
}

}  // namespace

void AuditTrail::Login(const v1::IssueTokenRequest& request, absl::string_view account, AuthMethod method,
                       AuthResult result, absl::string_view reason) {
  log_.Write("login", {{"account", Bounded(account)},
                       {"address", Bounded(request.remote_address())},
                       {"client", Bounded(request.client_id())},
                       {"method", AuthMethodName(method)},
                       {"decision", AuthResultName(result)},
                       {"reason", Bounded(reason)}});
}

void AuditTrail::Token(const v1::IssueTokenRequest& request, absl::string_view account, absl::string_view requested,
                       absl::string_view granted) {
  log_.Write("token", {{"account", Bounded(account)},
                       {"address", Bounded(request.remote_address())},
                       {"client", Bounded(request.client_id())},
                       {"requested", Bounded(requested, kScopesBytesMax)},
                       {"granted", Bounded(granted, kScopesBytesMax)},
                       {"decision", requested == granted ? "granted" : "reduced"}});
}

void AuditTrail::AdminCommand(const v1::AdministerRequest& request, const absl::Status& result) {
  log_.Write("administration", {{"account", Bounded(request.caller().account())},
                                {"address", Bounded(request.remote_address())},
                                {"command", CommandName(request)},
                                {"target", Bounded(TargetOf(request))},
                                {"decision", DecisionOf(result)},
                                {"reason", Bounded(result.message())}});
}

}  // namespace entrepot::auth
