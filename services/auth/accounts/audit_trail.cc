#include "services/auth/accounts/audit_trail.h"

#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "services/core/client_network.h"

namespace entrepot::auth {
namespace {

// Text from a client may have any length.
constexpr size_t kTextBytesMax = 512;
constexpr size_t kScopesBytesMax = 8192;
constexpr absl::string_view kDenied = "denied";

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
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status) ? kDenied : "failed";
}

std::string KeyOf(absl::string_view address, absl::string_view kind, absl::string_view decision) {
  return absl::StrCat(ClientNetwork(address), " ", kind, " ", decision);
}

}  // namespace

void AuditTrail::Login(const v1::IssueTokenRequest& request, absl::string_view account, AuthMethod method,
                       AuthResult result, absl::string_view reason) {
  const std::initializer_list<runtime::LogField> fields = {{"account", Bounded(account)},
                                                           {"address", Bounded(request.remote_address())},
                                                           {"client", Bounded(request.client_id())},
                                                           {"method", AuthMethodName(method)},
                                                           {"decision", AuthResultName(result)},
                                                           {"reason", Bounded(reason)}};
  if (result == AuthResult::kSuccess) return log_.Write("login", fields);
  log_.WriteLimited("login", KeyOf(request.remote_address(), AuthMethodName(method), AuthResultName(result)), fields);
}

void AuditTrail::Token(const v1::IssueTokenRequest& request, absl::string_view account, absl::string_view requested,
                       absl::string_view granted) {
  const absl::string_view decision = requested == granted ? "granted" : "reduced";
  const std::initializer_list<runtime::LogField> fields = {{"account", Bounded(account)},
                                                           {"address", Bounded(request.remote_address())},
                                                           {"client", Bounded(request.client_id())},
                                                           {"requested", Bounded(requested, kScopesBytesMax)},
                                                           {"granted", Bounded(granted, kScopesBytesMax)},
                                                           {"decision", decision}};
  if (!account.empty()) return log_.Write("token", fields);
  log_.WriteLimited("token", KeyOf(request.remote_address(), "anonymous", decision), fields);
}

void AuditTrail::AdminCommand(const v1::AdministerRequest& request, const absl::Status& result) {
  const std::string command = CommandName(request);
  const std::string target = TargetOf(request);
  const absl::string_view decision = DecisionOf(result);
  const std::initializer_list<runtime::LogField> fields = {{"account", Bounded(request.caller().account())},
                                                           {"address", Bounded(request.remote_address())},
                                                           {"command", command},
                                                           {"target", Bounded(target)},
                                                           {"decision", decision},
                                                           {"reason", Bounded(result.message())}};
  if (decision != kDenied) return log_.Write("administration", fields);
  log_.WriteLimited("administration", KeyOf(request.remote_address(), request.caller().account(), decision), fields);
}

}  // namespace entrepot::auth
