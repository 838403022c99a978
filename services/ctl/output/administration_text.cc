#include "services/ctl/output/administration_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "services/ctl/output/table.h"
#include "services/ctl/output/terminal_output.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerResponse;

template <typename Strings>
std::string Joined(const Strings& strings) {
  return absl::StrJoin(strings, ", ");
}

std::string Minute(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

template <typename Message>
std::string MinuteOr(bool has, const Message& time, const char* otherwise) {
  return has ? Minute(time) : otherwise;
}

std::string UsersText(const auth::v1::Users& users) {
  Table table({"USER", "KEPT IN", "GROUPS", "CREATED (UTC)", "LAST USED (UTC)"});
  for (const auto& user : users.users()) {
    table.Add({user.name(), user.from_file() ? "accounts file" : "registry", Joined(user.groups()),
               MinuteOr(user.has_created_at(), user.created_at(), ""),
               MinuteOr(user.has_last_used_at(), user.last_used_at(), "never")});
  }
  return table.ToString();
}

std::string ScopesText(const auth::v1::Robot& robot) {
  return absl::StrJoin(robot.scopes(), " ", [](std::string* out, const auth::v1::RobotScope& scope) {
    absl::StrAppend(out, absl::StrJoin(scope.repositories(), ","), ":", absl::StrJoin(scope.actions(), ","));
  });
}

std::string RobotsText(const auth::v1::Robots& robots) {
  Table table({"ROBOT", "ALLOWED", "EXPIRES (UTC)", "LAST USED (UTC)", "CREATED BY", "DESCRIPTION"});
  for (const auto& robot : robots.robots()) {
    table.Add({robot.name(), ScopesText(robot), MinuteOr(robot.has_expires_at(), robot.expires_at(), "never"),
               MinuteOr(robot.has_last_used_at(), robot.last_used_at(), "never"), robot.created_by(),
               robot.description()});
  }
  return table.ToString();
}

std::string SecretText(const auth::v1::RobotSecret& secret) {
  return absl::StrCat("account  ", Printable(secret.account()), "\nsecret   ", Printable(secret.secret()),
                      "\nThe secret is not shown again. Log in with it: docker login --username ",
                      Printable(secret.account()), " REGISTRY\n");
}

std::string GroupsText(const auth::v1::Groups& groups) {
  Table table({"GROUP", "MEMBERS", "MEMBERS IN THE POLICY FILE"});
  for (const auto& group : groups.groups()) {
    table.Add({group.name(), Joined(group.members()), Joined(group.members_from_file())});
  }
  return table.ToString();
}

std::string KeysText(const auth::v1::Keys& keys) {
  Table table({"KEY", "ALGORITHM", "CREATED (UTC)", "USE"});
  for (const auto& key : keys.keys()) {
    std::string use = "signs";
    if (!key.active()) {
      use = key.has_verifies_until() ? absl::StrCat("verifies until ", Minute(key.verifies_until())) : "verifies";
    }
    table.Add({key.kid(), key.algorithm(), MinuteOr(key.has_created_at(), key.created_at(), ""), use});
  }
  return table.ToString();
}

std::string ExplanationText(const auth::v1::Explanation& explanation) {
  std::string text =
      absl::StrCat(explanation.allowed() ? "allowed: " : "denied: ", Printable(explanation.reason()), "\n");
  if (!explanation.groups().empty()) absl::StrAppend(&text, "groups: ", Printable(Joined(explanation.groups())), "\n");
  for (const std::string& rule : explanation.tag_rules()) {
    absl::StrAppend(&text, "tags there: ", Printable(rule), "\n");
  }
  return text;
}

}  // namespace

std::string AdministrationText(const AdministerResponse& response) {
  switch (response.result_case()) {
    case AdministerResponse::kUsers:
      return UsersText(response.users());
    case AdministerResponse::kRobots:
      return RobotsText(response.robots());
    case AdministerResponse::kRobotSecret:
      return SecretText(response.robot_secret());
    case AdministerResponse::kGroups:
      return GroupsText(response.groups());
    case AdministerResponse::kKeys:
      return KeysText(response.keys());
    case AdministerResponse::kExplanation:
      return ExplanationText(response.explanation());
    case AdministerResponse::kPolicyProblems: {
      std::string text;
      for (const std::string& line : response.policy_problems().lines()) absl::StrAppend(&text, Printable(line), "\n");
      return text;
    }
    case AdministerResponse::kAccountsBackup:  // A line of BackupText().
    case AdministerResponse::kDone:
    case AdministerResponse::RESULT_NOT_SET:
      return "";
  }
  return "";
}

std::string AdministrationJson(const AdministerResponse& response) {
  const google::protobuf::Reflection* reflection = AdministerResponse::GetReflection();
  const google::protobuf::FieldDescriptor* field =
      reflection->GetOneofFieldDescriptor(response, AdministerResponse::GetDescriptor()->oneof_decl(0));
  if (field == nullptr) return "{}\n";
  return MessageJson(reflection->GetMessage(response, field));
}

}  // namespace entrepot::ctl
