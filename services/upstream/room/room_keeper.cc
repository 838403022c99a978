#include "services/upstream/room/room_keeper.h"

#include <algorithm>
#include <utility>

#include "services/core/room_request.h"
#include "services/core/time/proto_time.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"
#include "services/upstream/names/bytes_max.h"

namespace entrepot::upstream {
namespace {

// The share of the cap that must be fetched before an eviction that has not freed enough is tried again.
constexpr uint64_t kFetchedPercentMin = 5;

uint64_t Percent(uint64_t bytes, uint64_t percent) { return bytes / 100 * percent; }

}  // namespace

RoomKeeper::RoomKeeper(Parts parts, const Options& options)
    : parts_(std::move(parts)), options_(options), metrics_(parts_.registry) {
  if (options_.poll_interval > absl::ZeroDuration()) {
    task_ = std::make_unique<runtime::PeriodicTask>(options_.poll_interval, [this] { Advance(); });
  }
}

RoomKeeper::~RoomKeeper() {
  stop_.Stop();
  task_.reset();
}

std::optional<types::v1::CacheRoom> RoomKeeper::Measured(absl::string_view upstream) const {
  const absl::MutexLock lock(&mutex_);
  const auto member = members_.find(upstream);
  return member == members_.end() ? std::nullopt : member->second.room;
}

void RoomKeeper::Advance() {
  const std::shared_ptr<const UpstreamsSnapshot> snapshot = parts_.upstreams->current();
  ForgetAbsent(*snapshot);
  for (const config::v1::Upstream& upstream : snapshot->file.upstreams()) {
    if (stop_.stopped()) return;
    const uint64_t bytes_max = BytesMaxOf(upstream);
    {
      const absl::MutexLock lock(&mutex_);
      Member& member = members_[upstream.name()];
      if (!IsDue(member, upstream)) continue;
      member.bytes_max = bytes_max;
      member.fetched_bytes = parts_.bytes_fetched(upstream.name());
    }
    metrics_.SetCap(upstream.name(), bytes_max);
    const absl::Status status = Keep(upstream.name(), bytes_max);
    if (!status.ok() && !stop_.stopped()) {
      runtime::Log(runtime::LogLevel::kWarning, "the room of an upstream's caches could not be measured or freed",
                   {{"upstream", upstream.name()}, {"error", status.message()}});
    }
    const absl::MutexLock lock(&mutex_);
    // Only this error is tried again soon: any other is likely to come again, at the cost of a measurement.
    members_[upstream.name()].unanswered = absl::IsUnavailable(status);
    members_[upstream.name()].tried_at = parts_.clock->Now();
  }
}

bool RoomKeeper::IsDue(const Member& member, const config::v1::Upstream& upstream) const {
  const uint64_t bytes_max = BytesMaxOf(upstream);
  if (!member.tried_at.has_value() || member.bytes_max != bytes_max) return true;
  const absl::Duration age = parts_.clock->Now() - *member.tried_at;
  if (age < absl::ZeroDuration() || age >= options_.interval) return true;
  if (age < kIntervalMin) return false;
  if (member.unanswered) return true;
  if (bytes_max == 0 || !member.room.has_value()) return false;
  const uint64_t fetched = parts_.bytes_fetched(upstream.name());
  const uint64_t since = fetched < member.fetched_bytes ? fetched : fetched - member.fetched_bytes;
  const uint64_t free = bytes_max - std::min(bytes_max, member.room->bytes());
  return since > std::max(free, Percent(bytes_max, kFetchedPercentMin));
}

absl::Status RoomKeeper::Keep(const std::string& upstream, uint64_t bytes_max) {
  RoomRequest measure;
  measure.upstream = upstream;
  ASSIGN_OR_RETURN(const types::v1::CacheEviction measured, parts_.store->MakeRoom(measure));
  SetMeasured(upstream, measured.after());
  if (bytes_max == 0 || measured.after().bytes() <= bytes_max) return absl::OkStatus();
  return Evict(upstream, bytes_max);
}

absl::Status RoomKeeper::Evict(const std::string& upstream, uint64_t bytes_max) {
  RoomRequest request;
  request.upstream = upstream;
  request.bytes_max = Percent(bytes_max, kKeptPercent);
  ASSIGN_OR_RETURN(const types::v1::CacheEviction evicted, parts_.store->MakeRoom(request));
  SetMeasured(upstream, evicted.after());
  if (evicted.image_count() > 0) {
    const absl::Duration idle = parts_.clock->Now() - FromTimestamp(evicted.last_used_at());
    metrics_.CountEviction(upstream, evicted.image_count(), evicted.freed_bytes(), idle);
    runtime::Log(runtime::LogLevel::kInfo, "evicted images of an upstream",
                 {{"upstream", upstream},
                  {"images", evicted.image_count()},
                  {"bytes", evicted.freed_bytes()},
                  {"bytes_max", bytes_max},
                  {"last_used_at", absl::FormatTime(FromTimestamp(evicted.last_used_at()), absl::UTCTimeZone())}});
  }
  if (evicted.after().bytes() > bytes_max) {
    runtime::Log(runtime::LogLevel::kWarning, "the caches of an upstream need more than bytes_max after an eviction",
                 {{"upstream", upstream}, {"bytes", evicted.after().bytes()}, {"bytes_max", bytes_max}});
  }
  return absl::OkStatus();
}

void RoomKeeper::SetMeasured(const std::string& upstream, const types::v1::CacheRoom& room) {
  metrics_.SetRoom(upstream, room.bytes());
  const absl::MutexLock lock(&mutex_);
  members_[upstream].room = room;
}

void RoomKeeper::ForgetAbsent(const UpstreamsSnapshot& snapshot) {
  const absl::MutexLock lock(&mutex_);
  for (auto member = members_.begin(); member != members_.end();) {
    if (snapshot.Find(member->first) != nullptr) {
      ++member;
      continue;
    }
    metrics_.Remove(member->first);
    member = members_.erase(member);
  }
}

}  // namespace entrepot::upstream
