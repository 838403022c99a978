#ifndef ENTREPOT_SERVICES_UPSTREAM_ROOM_ROOM_KEEPER_H_
#define ENTREPOT_SERVICES_UPSTREAM_ROOM_ROOM_KEEPER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "entrepot/types/v1/cache_room.pb.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/runtime/threads/periodic_task.h"
#include "services/upstream/names/upstreams_file.h"
#include "services/upstream/room/room_metrics.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// Measures, on a thread of its own, what the caches of each upstream of the file need, and evicts the least recently
// used images if that is more than the upstream's `bytes_max` (docs/upstreams.md, "Room"). Thread-safe.
class RoomKeeper {
 public:
  // After an eviction the caches need at most this share of their cap, so that the next images fit without another one.
  static constexpr uint64_t kKeptPercent = 90;
  // Measuring reads all records of the registry, so one upstream is not measured more often than this.
  static constexpr absl::Duration kIntervalMin = absl::Minutes(1);

  // The pointers outlive the keeper.
  struct Parts {
    const UpstreamsFile* upstreams = nullptr;
    CacheStore* store = nullptr;
    const Clock* clock = nullptr;
    // Bytes that were fetched from the upstream; may begin anew. Required.
    std::function<uint64_t(absl::string_view upstream)> bytes_fetched;
    // If null, the metrics are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
  };
  struct Options {
    // How often an upstream is measured. Earlier if its cap has changed, or if so much was fetched meanwhile that its
    // caches may need more than the cap.
    absl::Duration interval = absl::Minutes(10);
    // How often the keeper looks whether something is due. Zero: only Advance() does, for tests.
    absl::Duration poll_interval = absl::Seconds(5);
  };
  RoomKeeper(Parts parts, const Options& options);
  // Waits for a call of the store that runs: CacheStore::Stop() ends it.
  ~RoomKeeper();

  RoomKeeper(const RoomKeeper&) = delete;
  RoomKeeper& operator=(const RoomKeeper&) = delete;

  // What was measured last; nullopt if nothing was yet.
  std::optional<types::v1::CacheRoom> Measured(absl::string_view upstream) const;
  // Measures what is due, and evicts. Blocks. One call at a time.
  void Advance();

 private:
  struct Member {
    std::optional<types::v1::CacheRoom> room;
    // When the last attempt ended.
    std::optional<absl::Time> tried_at;
    // The store did not answer that attempt.
    bool unanswered = false;
    uint64_t bytes_max = 0;
    // Parts::bytes_fetched() before the last measurement.
    uint64_t fetched_bytes = 0;
  };

  bool IsDue(const Member& member, const config::v1::Upstream& upstream) const;
  absl::Status Keep(const std::string& upstream, uint64_t bytes_max);
  absl::Status Evict(const std::string& upstream, uint64_t bytes_max);
  void SetMeasured(const std::string& upstream, const types::v1::CacheRoom& room);
  void ForgetAbsent(const UpstreamsSnapshot& snapshot);

  const Parts parts_;
  const Options options_;
  RoomMetrics metrics_;
  StopSignal stop_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Member, std::less<>> members_ ABSL_GUARDED_BY(mutex_);
  // The last member: it uses the others.
  std::unique_ptr<runtime::PeriodicTask> task_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_ROOM_ROOM_KEEPER_H_
