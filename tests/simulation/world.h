#ifndef ENTREPOT_TESTS_SIMULATION_WORLD_H_
#define ENTREPOT_TESTS_SIMULATION_WORLD_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/blob_storage.h"
#include "services/core/failpoint/failpoint_control.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/gc/clock_guard.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/gc/store_binding.h"
#include "services/manifest/scrub/scrubber.h"
#include "services/policy/policy.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/model.h"
#include "tests/simulation/process.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/simulated_clock.h"
#include "tests/simulation/simulated_kv.h"
#include "tests/simulation/simulated_objects.h"

namespace entrepot::simulation {

inline constexpr absl::Duration kLease = absl::Hours(24);
inline constexpr absl::Duration kGrace = absl::Hours(1);
inline constexpr absl::Duration kOrphanAge = absl::Hours(24);
inline constexpr absl::Duration kSessionLifetime = absl::Hours(24);

// One registry, the code under test over simulated parts, and the events that happen to it.
class World {
 public:
  struct Options {
    Scheduler::Options scheduler;
    Faults faults;
    // How often an event is one of these, once in that many times; 0: never. All other events move the clock.
    uint64_t crash_one_in = 0;
    uint64_t power_cut_one_in = 0;
    uint64_t rot_one_in = 0;
    // Wrong records or objects are put in the place of the right ones, and later the right ones are put back.
    uint64_t exchange_one_in = 0;
    // So many objects lose their records that no run may quarantine them.
    uint64_t orphans_one_in = 0;
    // Collection holds back after the clock was set. Otherwise an operator lets it go on at once, each time.
    bool clock_guarded = false;
    // Content::immutable_tags is in force.
    bool immutable_tags = false;
    // Clients also pull through the caches of an upstream.
    bool caches = false;
    // The records and the objects know one another before the first push.
    bool bound = true;
    // Processes that serve requests at the same time.
    size_t registries = 1;
  };

  // A process that serves requests. Up to Options::registries live at a time.
  struct Registry {
    explicit Registry(World* world);
    Process process{"registry"};
    std::unique_ptr<kv::KvEngine> kv;
    std::unique_ptr<BlobStorage> objects;
    std::unique_ptr<manifest::RegistryCatalog> catalog;
    // A deletion of a repository would wait on a real mutex for other deletions, and for pushes that finish an
    // interrupted one; a fiber must never do that. So no deletion begins while there are any. Pushes may begin during a
    // deletion.
    bool deleting = false;
    int pushes = 0;
  };
  // Encloses a call that pushes.
  class Push {
   public:
    explicit Push(Registry* registry) : registry_(*registry) { ++registry_.pushes; }
    Push(const Push&) = delete;
    Push& operator=(const Push&) = delete;
    ~Push() { --registry_.pushes; }

   private:
    Registry& registry_;
  };
  // These enclose a deletion of a repository. BeginDeletion() waits for its turn; false: the process has died.
  bool BeginDeletion(Registry& registry);
  void EndDeletion(Registry& registry) { registry.deleting = false; }
  // A process that collects, quarantines orphans, scrubs and renews the binding of records and objects.
  struct Maintenance {
    explicit Maintenance(World* world);
    Process process{"maintenance"};
    std::unique_ptr<kv::KvEngine> kv;
    std::unique_ptr<BlobStorage> objects;
    manifest::StoreBinding binding;
    manifest::ClockGuard clock_guard;
    std::unique_ptr<manifest::Collector> collector;
    std::unique_ptr<manifest::Scrubber> scrubber;
    Pace pace;
    // Begins at the end of the process's last transaction.
    std::optional<SimulatedClock::Span> clock_span;
    // A run that depends on the clock is under way, or is about to begin.
    bool collecting = false;
    // The number of times that the clock had been set when the guard began to watch it.
    std::optional<uint64_t> watches_since;
  };

  World(uint64_t seed, const Options& options);

  Scheduler& scheduler() { return scheduler_; }
  Random& random() { return scheduler_.random(); }
  Model& model() { return model_; }
  const Clock* clock() const { return &clock_; }
  SimulatedObjects& objects() { return objects_; }
  const SimulatedKv& kv() const { return kv_; }
  bool tags_are_immutable() const { return options_.immutable_tags; }
  bool has_caches() const { return options_.caches; }

  // A registry that is running. Waits for the next one if all have died; null at the end of the history.
  std::shared_ptr<Registry> AwaitRegistry();
  // Starts a new maintenance process.
  std::shared_ptr<Maintenance> StartMaintenance();

  // The checks that services/manifest/maintenance/background_maintenance.h makes before each run. The caller sets
  // `collecting` to false after a run for which MayCollect() was called.
  bool MayWork(Maintenance& maintenance);
  bool MayCollect(Maintenance& maintenance);
  void AdvanceBinding(Maintenance& maintenance);

  // Runs the history with these actors. Then collects all garbage, and checks what is left.
  void Run(const std::vector<std::pair<std::string, std::function<void()>>>& clients,
           const std::vector<std::pair<std::string, std::function<void()>>>& background);
  // Whether clients are still at work.
  bool busy() const { return clients_left_ > 0 && !scheduler_.stopped(); }

  // Reports a violation and ends the history. Only the first one counts.
  void Violate(std::string what);
  const std::optional<std::string>& violation() const { return violation_; }
  // The outcome of a call with that status. Reports a violation if the status is none of success, refusal and fault.
  Outcome Classify(const absl::Status& status, absl::string_view what);

 private:
  friend struct Registry;
  friend struct Maintenance;

  void HandleEvent();
  void MoveClock();
  void SetClock(absl::Duration by);
  // What the guard of the clock knew is lost: promises end by the clock.
  void ForgetClock();
  bool HoldsBack(Maintenance& maintenance);
  void Crash(Process& process);
  void CrashAll();
  void LosePower();
  void ExchangeStores();
  void PutBackStores();
  void LoseRecords();
  // Compares a result of the binding with the truth. Returns whether upkeep may work.
  bool JudgeBinding(const Maintenance& maintenance, bool was_bound, const absl::Status& status);
  void Rot();
  void KeepRegistryUp();
  void StartRegistry();
  absl::StatusOr<std::unique_ptr<manifest::RegistryCatalog>> OpenCatalog(Registry& registry);
  void CheckNow();
  // Called after an object was deleted or quarantined.
  void CheckRemoval(const StorageKey& key, bool deleted);
  // Called after the last client has ended.
  void ComeToRest();
  void CheckRest();
  // The keys of the blobs that are LIVE and that a manifest refers to.
  std::set<std::string> LiveAndNeeded() const;

  const Options options_;
  Scheduler scheduler_;
  SimulatedClock clock_;
  Faults faults_;
  SimulatedKv kv_;
  SimulatedObjects objects_;
  Model model_;
  const std::unique_ptr<kv::KvReader> committed_;
  const std::shared_ptr<const policy::Policy> policy_;
  std::optional<std::string> violation_;
  std::vector<std::shared_ptr<Registry>> running_;
  // All processes so far: the code of dead ones may still be running to its end.
  std::vector<std::shared_ptr<Registry>> registries_;
  std::vector<std::shared_ptr<Maintenance>> maintenances_;
  size_t clients_left_ = 0;
  // How often the clock was set, and after which of these times the record g/clock was written.
  uint64_t clock_sets_ = 0;
  uint64_t noted_sets_ = 0;
  struct Stores {
    SimulatedKv::Entries records;
    SimulatedObjects::Volume objects;
  };
  // The right ones, while others are in their place.
  std::optional<Stores> right_;
  // An older copy of the records.
  std::optional<SimulatedKv::Entries> copy_;
  // The objects that lost their records.
  std::set<std::string> orphans_;
  const ScopedFailpoints failpoints_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_WORLD_H_
