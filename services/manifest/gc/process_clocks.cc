#include "services/manifest/gc/process_clocks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"

namespace entrepot::manifest {
namespace {

using storage::v1::ClockRecord;
using storage::v1::ProcessClock;

// Entries of processes that ended long ago are removed.
constexpr absl::Duration kKeptFor = absl::Hours(24);

}  // namespace

void ProcessClocks::Exchange(absl::Time now, absl::Duration since_boot, ClockRecord* record) {
  std::map<std::string, Other> others;
  ClockRecord left;
  for (const ProcessClock& entry : record->processes()) {
    const absl::Time seen_at = FromTimestamp(entry.seen_at());
    if (entry.process() == process_) continue;
    const auto before = others_.find(entry.process());
    Other other;
    if (before == others_.end()) {
      other = LookAt(seen_at, now, kWatchedFor);
      // Nothing shows yet that it runs.
      if (other.finding == Finding::kDifferent && seen_at < now) other.finding = Finding::kUnknown;
      other.since = since_boot;
    } else if (before->second.seen_at != seen_at) {
      other = LookAt(seen_at, now, since_boot - exchanged_at_);
      other.since = since_boot;
    } else {
      other = before->second;
      if (since_boot - other.since >= kWatchedFor) other.finding = Finding::kEnded;
    }
    if (other.finding == Finding::kEnded && absl::AbsDuration(now - seen_at) > kKeptFor) continue;
    others[entry.process()] = other;
    *left.add_processes() = entry;
  }
  ProcessClock& own = *left.add_processes();
  own.set_process(process_);
  *own.mutable_seen_at() = ToTimestamp(now);
  record->mutable_processes()->Swap(left.mutable_processes());
  others_ = std::move(others);
  exchanged_at_ = since_boot;
}

ProcessClocks::Other ProcessClocks::LookAt(absl::Time seen_at, absl::Time now, absl::Duration elapsed) {
  Other other{.seen_at = seen_at, .finding = Finding::kEqual};
  // It was written at some time within `elapsed`.
  other.difference = std::max(seen_at - now, now - elapsed - seen_at);
  if (other.difference > kDifferenceMax) other.finding = Finding::kDifferent;
  return other;
}

absl::Status ProcessClocks::Check() const {
  for (const auto& [process, other] : others_) {
    if (other.finding == Finding::kDifferent) {
      return absl::FailedPreconditionError(
          absl::StrCat("the clocks of two manifest services differ by ", absl::FormatDuration(other.difference),
                       " or more: nothing is collected until they agree, so that no lease or grace ends before its "
                       "time. Set the clocks of all machines by NTP"));
    }
    if (other.finding == Finding::kUnknown) {
      return absl::FailedPreconditionError(
          absl::StrCat("another manifest service noted its clock at ",
                       absl::FormatTime("%Y-%m-%d %H:%M", other.seen_at, absl::UTCTimeZone()),
                       " UTC. If it has ended, collection begins in ", absl::FormatDuration(kWatchedFor)));
    }
  }
  return absl::OkStatus();
}

}  // namespace entrepot::manifest
