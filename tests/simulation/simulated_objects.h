#ifndef ENTREPOT_TESTS_SIMULATION_SIMULATED_OBJECTS_H_
#define ENTREPOT_TESTS_SIMULATION_SIMULATED_OBJECTS_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/blob_storage.h"
#include "services/core/content.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/process.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/simulated_kv.h"

namespace entrepot::simulation {

// The blob service: objects in two tiers, files (durable at once) and values of the KV (durable with a later synced
// commit), and the sessions of sealed uploads, which are buffered records of the KV.
class SimulatedObjects {
 public:
  struct File {
    std::string bytes;
    absl::Time created_at;
  };
  // What is outside of the KV.
  struct Volume {
    std::map<std::string, File> files;
    std::map<std::string, std::string> quarantined;
    StoreOwner owner;
  };

  struct Options {
    absl::Duration session_lifetime = absl::Hours(24);
  };

  // All must outlive the SimulatedObjects.
  SimulatedObjects(const Options& options, Scheduler* scheduler, SimulatedKv* kv, const Clock* clock,
                   const Faults* faults)
      : options_(options), scheduler_(*scheduler), kv_(*kv), clock_(*clock), faults_(*faults) {}

  // The object store as a process uses it. The process and the SimulatedObjects must outlive it.
  std::unique_ptr<BlobStorage> Connect(const Process* process);

  // Makes a sealed upload: an object with the bytes, and a session that names it.
  absl::StatusOr<Blob> Seal(const Process& process, const Digest& digest, const std::string& bytes);
  // OK if a session that has not expired names the object, and the object exists.
  absl::Status SealAgain(const Process& process, const StorageKey& key);
  absl::Status Forget(const Process& process, const StorageKey& key);
  absl::StatusOr<std::string> Read(const Process& process, const StorageKey& key);

  // Called right after an object was deleted or quarantined. `deleted` is true if bytes were deleted for good.
  using Observer = std::function<void(const StorageKey& key, bool deleted)>;
  void OnRemoval(Observer observer) { observer_ = std::move(observer); }

  // These calls are not steps.
  std::optional<std::string> Find(const StorageKey& key) const;
  std::set<std::string> ObjectKeys() const;
  std::set<std::string> SessionKeys() const;
  // Damages the bytes of the object. Returns false if there is no such object.
  bool Rot(const StorageKey& key);
  // Adds files that no session and no record names. Returns their keys.
  std::set<std::string> AddOrphans(size_t count, absl::Duration age);
  void TakeAway(const std::set<std::string>& keys);
  const Volume& volume() const { return volume_; }
  // Returns the previous volume. All processes must be dead.
  Volume Exchange(Volume volume);
  // The records without those of the blob service.
  static SimulatedKv::Entries WithoutOwn(SimulatedKv::Entries records);

 private:
  class Access;

  absl::Status Fate(const Process& process, uint64_t fails_one_in);
  absl::Status Before(const Process& process, absl::string_view what, absl::string_view detail);
  absl::Status After(const Process& process) { return Fate(process, faults_.object_answer_lost); }
  void Remove(const StorageKey& key, bool deleted);
  absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                 size_t limit) const;
  std::vector<Blob> ListAbandoned(size_t limit) const;

  const Options options_;
  Scheduler& scheduler_;
  SimulatedKv& kv_;
  const Clock& clock_;
  const Faults& faults_;
  Observer observer_;
  Volume volume_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_SIMULATED_OBJECTS_H_
