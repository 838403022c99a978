#include "services/core/failpoint/failpoint_plan.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/status/status_macros.h"

namespace entrepot {
namespace {

using Kind = FailpointAction::Kind;

bool IsName(absl::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '_' && c != '.') return false;
  }
  return !name.empty();
}

absl::StatusOr<FailpointAction> ParseAction(absl::string_view text) {
  FailpointAction action;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('@', 1));
  if (parts.size() == 2 && (!absl::SimpleAtoi(parts[1], &action.only_at) || action.only_at < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", parts[1], "\" is not a count"));
  }
  absl::string_view what = parts[0];
  if (what == "crash") {
    action.kind = Kind::kCrash;
  } else if (what == "error") {
    action.kind = Kind::kError;
  } else if (what == "stop") {
    action.kind = Kind::kStop;
  } else if (absl::ConsumePrefix(&what, "sleep:")) {
    action.kind = Kind::kSleep;
    if (!absl::ParseDuration(what, &action.sleep) || action.sleep < absl::ZeroDuration()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", what, "\" is not a duration"));
    }
  } else {
    return absl::InvalidArgumentError(absl::StrCat("\"", what, "\" is none of crash, error, stop, sleep:DURATION"));
  }
  return action;
}

}  // namespace

absl::StatusOr<std::map<std::string, FailpointAction, std::less<>>> FailpointPlan::Parse(absl::string_view text) {
  std::map<std::string, FailpointAction, std::less<>> actions;
  if (text.empty()) return actions;
  for (const absl::string_view entry : absl::StrSplit(text, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(entry, absl::MaxSplits('=', 1));
    if (parts.size() != 2 || !IsName(parts[0])) {
      return absl::InvalidArgumentError(absl::StrCat("\"", entry, "\" is not of the form name=action"));
    }
    const absl::StatusOr<FailpointAction> action = ParseAction(parts[1]);
    if (!action.ok()) return absl::InvalidArgumentError(absl::StrCat(parts[0], ": ", action.status().message()));
    if (!actions.emplace(parts[0], *action).second) {
      return absl::InvalidArgumentError(absl::StrCat(parts[0], " is named twice"));
    }
  }
  return actions;
}

std::optional<FailpointAction> FailpointPlan::Next(absl::string_view name) {
  const auto action = actions_.find(name);
  if (action == actions_.end()) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  const int64_t time = ++times_[action->first];
  if (action->second.only_at != 0 && action->second.only_at != time) return std::nullopt;
  return action->second;
}

}  // namespace entrepot
