#ifndef ENTREPOT_TESTS_SIMULATION_WORLD_H_
#define ENTREPOT_TESTS_SIMULATION_WORLD_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/failpoint/failpoint_control.h"
#include "services/core/object_access.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/scrub/scrubber.h"
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

// One registry: the code under test on simulated parts, and what befalls it.
class World {
 public:
  struct Options {
    Scheduler::Options scheduler;
    Faults faults;
    // Each event that befalls the world is one of these in so many times; 0: never. What is left moves the clock.
    uint64_t crash_one_in = 0;
    uint64_t power_cut_one_in = 0;
    uint64_t rot_one_in = 0;
  };

  // The process that serves requests: there is one at a time.
  struct Registry {
    explicit Registry(World* world);
    Process process{"registry"};
    std::unique_ptr<kv::KvEngine> kv;
    std::unique_ptr<ObjectAccess> objects;
    std::unique_ptr<manifest::RegistryCatalog> catalog;
    // A deletion of a repository waits for others, and for a push that finishes one which was interrupted, on a lock of
    // the machine's, on which a fiber must never wait: none begins while there are any. Pushes may begin beside it.
    bool deleting = false;
    int pushes = 0;
  };
  // Around a call that pushes.
  class Push {
   public:
    explicit Push(Registry* registry) : registry_(*registry) { ++registry_.pushes; }
    Push(const Push&) = delete;
    Push& operator=(const Push&) = delete;
    ~Push() { --registry_.pushes; }

   private:
    Registry& registry_;
  };
  // Around a deletion of a repository. Waits for its turn; false where there is none: the process is dead.
  bool BeginDeletion(Registry& registry);
  void EndDeletion(Registry& registry) { registry.deleting = false; }
  // A process that collects and scrubs.
  struct Upkeep {
    explicit Upkeep(World* world);
    Process process{"upkeep"};
    std::unique_ptr<kv::KvEngine> kv;
    std::unique_ptr<ObjectAccess> objects;
    std::unique_ptr<manifest::Collector> collector;
    std::unique_ptr<manifest::Scrubber> scrubber;
    Pace pace;
    // Since its last transaction was over.
    std::optional<SimulatedClock::Span> clock_span;
  };

  World(uint64_t seed, const Options& options);

  Scheduler& scheduler() { return scheduler_; }
  Random& random() { return scheduler_.random(); }
  Model& model() { return model_; }
  SimulatedObjects& objects() { return objects_; }
  const SimulatedKv& kv() const { return kv_; }

  // The registry that runs; waits for one where it has just died. Null where the history is over.
  std::shared_ptr<Registry> AwaitRegistry();
  // A new process of the kind, until it dies.
  std::shared_ptr<Upkeep> StartUpkeep();

  // Runs the history with these actors; then lets everything come to rest, and looks at what is left.
  void Run(const std::vector<std::pair<std::string, std::function<void()>>>& clients,
           const std::vector<std::pair<std::string, std::function<void()>>>& background);
  // Clients are still at work.
  bool busy() const { return clients_left_ > 0 && !scheduler_.stopped(); }

  // The history ends here; the first one counts.
  void Violate(std::string what);
  const std::optional<std::string>& violation() const { return violation_; }
  // An answer that is neither what was asked for nor a refusal nor a fault's.
  Outcome Judge(const absl::Status& status, absl::string_view what);

 private:
  friend struct Registry;
  friend struct Upkeep;

  void Befall();
  void MoveClock();
  void Crash(Process& process);
  void LosePower();
  void Rot();
  void KeepRegistryUp();
  void StartRegistry();
  void CheckNow();
  // After the last client.
  void ComeToRest();
  void CheckRest();

  const Options options_;
  Scheduler scheduler_;
  SimulatedClock clock_;
  Faults faults_;
  SimulatedKv kv_;
  SimulatedObjects objects_;
  Model model_;
  const std::unique_ptr<kv::KvReader> committed_;
  std::optional<std::string> violation_;
  std::shared_ptr<Registry> registry_;
  // Of all processes that ever were: the dead ones' code may still be on its way out.
  std::vector<std::shared_ptr<Registry>> registries_;
  std::vector<std::shared_ptr<Upkeep>> upkeeps_;
  size_t clients_left_ = 0;
  const ScopedFailpoints failpoints_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_WORLD_H_
