#include "services/ctl/robot_commands.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/ctl/administration.h"
#include "services/ctl/session.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;

absl::StatusOr<int> ListRobots(const CommandLine&, Session& session) {
  AdministerRequest request;
  request.mutable_list_robots();
  return Ask(request, session);
}

absl::StatusOr<int> CreateRobot(const CommandLine& line, Session& session) {
  AdministerRequest request;
  auth::v1::CreateRobot& robot = *request.mutable_create_robot();
  robot.set_name(line.arguments[0]);
  robot.set_description(line.Option("--description"));
  const auto allowed = line.options.find("--allow");
  if (allowed == line.options.end()) {
    return absl::InvalidArgumentError("what may it do? for example --allow 'driftwood/**:pull'");
  }
  for (const std::string& scope : allowed->second) {
    ASSIGN_OR_RETURN(*robot.add_scopes(), ParseRobotScope(scope));
  }
  if (const std::string expires = line.Option("--expires"); !expires.empty()) {
    ASSIGN_OR_RETURN(*robot.mutable_lifetime(), ParseLifetime(expires));
  }
  return Ask(request, session);
}

absl::StatusOr<int> RotateRobotSecret(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_rotate_robot_secret()->set_name(line.arguments[0]);
  return Ask(request, session);
}

absl::StatusOr<int> DeleteRobot(const CommandLine& line, Session& session) {
  AdministerRequest request;
  request.mutable_delete_robot()->set_name(line.arguments[0]);
  return Ask(request, session, absl::StrCat("deleted the robot ", line.arguments[0]));
}

absl::Status BadScope(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("--allow is REPOSITORIES:ACTIONS, as in 'driftwood/**:pull,push', not ", QuotedInput(text)));
}

}  // namespace

absl::StatusOr<auth::v1::RobotScope> ParseRobotScope(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return BadScope(text);
  auth::v1::RobotScope scope;
  for (const absl::string_view pattern : absl::StrSplit(text.substr(0, colon), ',')) {
    if (pattern.empty()) return BadScope(text);
    scope.add_repositories(std::string(pattern));
  }
  for (const absl::string_view action : absl::StrSplit(text.substr(colon + 1), ',')) {
    if (action.empty()) return BadScope(text);
    scope.add_actions(std::string(action));
  }
  return scope;
}

absl::StatusOr<google::protobuf::Duration> ParseLifetime(absl::string_view text) {
  absl::Duration lifetime;
  absl::string_view days = text;
  int64_t count;
  if (absl::ConsumeSuffix(&days, "d") && absl::SimpleAtoi(days, &count)) {
    lifetime = absl::Hours(24) * count;
  } else if (!absl::ParseDuration(text, &lifetime)) {
    lifetime = absl::ZeroDuration();
  }
  if (lifetime < absl::Seconds(1) || lifetime > absl::Hours(24 * 36500)) {
    return absl::InvalidArgumentError(absl::StrCat("--expires is a time like 720h or 30d, not ", QuotedInput(text)));
  }
  google::protobuf::Duration duration;
  duration.set_seconds(absl::ToInt64Seconds(lifetime));
  return duration;
}

std::vector<Command> RobotCommands() {
  return {
      {"robots list",
       {},
       {},
       "accounts of machines, and when each was last used",
       R"(
Example:
  entrepotctl robots list --output json
)",
       ListRobots},
      {"robots create",
       {"NAME"},
       {"--allow", "--description", "--expires"},
       "makes an account for a machine",
       R"(
  --allow REPOSITORIES:ACTIONS  what it may do: patterns (* within a segment, ** for any segments), and pull, push,
                                delete; may be given many times
  --description TEXT            for people
  --expires TIME                how long it lives: 720h, 30d; default: for ever

It logs in as robot+NAME with the secret that is shown, this once.

Examples:
  entrepotctl robots create deploy --allow 'driftwood/web:pull' --expires 30d
  entrepotctl robots create builds --allow 'driftwood/**:pull,push' --allow 'base/**:pull' --description 'CI, main branch'
)",
       CreateRobot},
      {"robots rotate-secret",
       {"NAME"},
       {},
       "gives a robot a new secret, and shows it",
       R"(
The old secret ends at once.

Example:
  entrepotctl robots rotate-secret deploy
)",
       RotateRobotSecret},
      {"robots delete",
       {"NAME"},
       {},
       "deletes a robot",
       R"(
Example:
  entrepotctl robots delete deploy
)",
       DeleteRobot},
  };
}

}  // namespace entrepot::ctl
