#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "services/ctl/client/registry_client.h"
#include "services/ctl/commands/administer_and_print.h"
#include "services/ctl/commands/commands.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

using auth::v1::AdministerRequest;

constexpr char kAllow[] = "--allow";
constexpr char kDescription[] = "--description";
constexpr char kExpires[] = "--expires";

absl::Status BadScope(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--allow: ", QuotedInput(text), " is not of the form REPOSITORIES:ACTIONS, as 'driftwood/**:pull,push' is"));
}

// "driftwood/**,base:pull,push": repositories, the last colon, actions.
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

// "720h", "90m", "30d".
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
    return absl::InvalidArgumentError(absl::StrCat(
        "--expires: ", QuotedInput(text), " is not a time like 720h or 30d, from a second to a hundred years"));
  }
  google::protobuf::Duration duration;
  duration.set_seconds(absl::ToInt64Seconds(lifetime));
  return duration;
}

absl::StatusOr<int> ListRobots(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_list_robots();
  return AdministerAndPrint(request, line, registry);
}

absl::StatusOr<int> CreateRobot(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  auth::v1::CreateRobot& robot = *request.mutable_create_robot();
  robot.set_name(line.argument(0));
  robot.set_description(line.Value(kDescription));
  for (const std::string& scope : line.Values(kAllow)) {
    ASSIGN_OR_RETURN(*robot.add_scopes(), ParseRobotScope(scope));
  }
  if (line.Has(kExpires)) {
    ASSIGN_OR_RETURN(*robot.mutable_lifetime(), ParseLifetime(line.Value(kExpires)));
  }
  return AdministerAndPrint(request, line, registry);
}

absl::StatusOr<int> RotateRobotSecret(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_rotate_robot_secret()->set_name(line.argument(0));
  return AdministerAndPrint(request, line, registry);
}

absl::StatusOr<int> DeleteRobot(const CommandLine& line, RegistryClient& registry) {
  AdministerRequest request;
  request.mutable_delete_robot()->set_name(line.argument(0));
  return AdministerAndPrint(request, line, registry, absl::StrCat("deleted the robot ", line.argument(0)));
}

}  // namespace

std::vector<Command> RobotCommands() {
  const Argument name{.name = "NAME", .help = "the robot, with or without the prefix robot+"};
  return {
      {.name = "robots list",
       .summary = "List the robots, the accounts of machines",
       .examples = {"entrepotctl robots list --output json"},
       .run = ListRobots},
      {.name = "robots create",
       .arguments = {name},
       .options = {{.name = kAllow,
                    .value = "REPOSITORIES:ACTIONS",
                    .help = "what the robot may do: patterns of repositories (* within a segment, ** across\n"
                            "segments) and of pull, push, delete, with commas; may be given several times",
                    .required = true,
                    .repeatable = true},
                   {.name = kDescription, .value = "TEXT", .help = "a note for people"},
                   {.name = kExpires, .value = "TIME", .help = "its lifetime, as 720h or 30d; default: unlimited"}},
       .summary = "Create a robot and print its secret",
       .details = "The robot logs in as robot+NAME with the secret, which is not shown again.",
       .examples = {"entrepotctl robots create deploy --allow 'driftwood/web:pull' --expires 30d",
                    "entrepotctl robots create builds --allow 'driftwood/**:pull,push' --allow 'base/**:pull' \\\n"
                    "    --description 'CI, main branch'"},
       .run = CreateRobot},
      {.name = "robots rotate-secret",
       .arguments = {name},
       .summary = "Replace a robot's secret and print the new one",
       .details = "The old secret becomes invalid at once.",
       .examples = {"entrepotctl robots rotate-secret deploy"},
       .run = RotateRobotSecret},
      {.name = "robots delete",
       .arguments = {name},
       .summary = "Delete a robot",
       .examples = {"entrepotctl robots delete deploy"},
       .run = DeleteRobot},
  };
}

}  // namespace entrepot::ctl
