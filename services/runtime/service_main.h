#ifndef ENTREPOT_SERVICES_RUNTIME_SERVICE_MAIN_H_
#define ENTREPOT_SERVICES_RUNTIME_SERVICE_MAIN_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/shared.pb.h"
#include "google/protobuf/message.h"
#include "prometheus/collectable.h"
#include "prometheus/registry.h"
#include "services/core/time/deadline.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/health_checks.h"

namespace entrepot::runtime {

// The running service of a process: its listeners are open and it serves requests.
class RunningService {
 public:
  // Called after Drain(). Frees everything; no part of the service is in use.
  virtual ~RunningService() = default;

  // All causes for which the process may not be ready; /readyz shows them. Called once. Each check is called on a
  // thread of its own, concurrently with everything else, from now until the destructor.
  virtual std::vector<HealthCheck> Checks() = 0;

  // Tells others what the process is ready for. Called once a second, never after AnnounceDrain() or Drain().
  virtual void ShowReadiness(Readiness readiness) { (void)readiness; }

  // Asks callers to go to other processes, and serves those that come nevertheless. Called on the main thread, once,
  // drain_delay before Drain().
  virtual void AnnounceDrain() {}

  // The addresses that it listens on, for the log line "serving": {{"listen", "http://127.0.0.1:5000"}}.
  virtual std::vector<std::pair<std::string, std::string>> Addresses() const = 0;

  // Accepts no new requests, lets those in progress finish until `deadline`, aborts the rest, and returns when none is
  // left. Called once, on the main thread.
  virtual void Drain(Deadline deadline) = 0;
};

// What a service is built with. Outlives the service.
struct ServiceContext {
  // Served at /metrics.
  std::shared_ptr<prometheus::Registry> registry;
  // Also serves metrics that are computed on each collection (the KV engine's). The collectable is dropped once it is
  // destroyed. May be called from any thread.
  std::function<void(std::weak_ptr<prometheus::Collectable>)> add_collectable;
};

// What distinguishes one process from another. Config is the process's message of proto/entrepot/config/v1; it has
// `operator`, `log`, `drain_delay` and `drain_timeout`.
template <typename Config>
struct ServiceDefinition {
  // The name of the program, such as "entrepot-gateway". --help, --version, the first log line and entrepot_build_info
  // contain it.
  std::string name;

  // Sets the defaults of fields that the file leaves out, then adds every problem. `log`, `drain_delay`,
  // `drain_timeout` and `operator` are filled and checked before. The default of `operator` is
  // 127.0.0.1:default_operator_port; if that port is 0, the file must set one.
  uint32_t default_operator_port = 0;
  std::function<void(Config*, ConfigProblems*)> fill_and_check;

  // Builds the service and opens its listeners. An error is logged and ends the process with code 1.
  std::function<absl::StatusOr<std::unique_ptr<RunningService>>(const Config&, const ServiceContext&)> start;
};

// The body of a main(). Parses --config FILE (required), --help and --version, raises the limit on file descriptors to
// the hard limit, and loads and checks the configuration. Serves /healthz, /readyz and /metrics on the operator
// endpoint, beginning before start(). Runs the service until SIGTERM or SIGINT. Then /readyz answers 503, and after
// drain_delay the service is drained within drain_timeout and destroyed.
//
// Returns the process's exit code:
//   0  after --help, --version, or a drain
//   1  if the operator endpoint or the service cannot be started, or the drain exceeds its deadline by 5 s
//   2  if the command line or the configuration is wrong; each problem is one plain line on stderr
// A second signal ends the process at once with code 128 + its number. SIGPIPE is ignored. Must be called on the main
// thread before any other thread is started.
template <typename Config>
int ServiceMain(int argc, char** argv, const ServiceDefinition<Config>& definition);

// ---------------------------------------------------------------------------------------------------------------------

namespace internal {

// A ServiceDefinition without the type of its configuration.
struct ErasedService {
  std::string name;
  google::protobuf::Message* config;
  std::function<void(ConfigProblems*)> fill_and_check;
  std::function<absl::StatusOr<std::unique_ptr<RunningService>>(const ServiceContext&)> start;
  std::function<const config::v1::Endpoint&()> operator_endpoint;
  std::function<const config::v1::Log&()> log;
  std::function<absl::Duration()> drain_delay;
  std::function<absl::Duration()> drain_timeout;
};

int RunServiceMain(int argc, char** argv, const ErasedService& service);

}  // namespace internal

template <typename Config>
int ServiceMain(int argc, char** argv, const ServiceDefinition<Config>& definition) {
  Config config;
  internal::ErasedService erased;
  erased.name = definition.name;
  erased.config = &config;
  erased.fill_and_check = [&](ConfigProblems* problems) {
    FillDefaults(definition.default_operator_port, config.mutable_operator_());
    FillDefaults(config.mutable_log());
    if (!config.has_drain_timeout()) FillDrainTimeout(config.mutable_drain_timeout());
    CheckEndpoint("operator", config.operator_(), problems);
    CheckLog("log", config.log(), problems);
    CheckDrainDelay("drain_delay", config.drain_delay(), problems);
    CheckDuration("drain_timeout", config.drain_timeout(), problems);
    definition.fill_and_check(&config, problems);
  };
  erased.start = [&](const ServiceContext& context) { return definition.start(config, context); };
  erased.operator_endpoint = [&]() -> const config::v1::Endpoint& { return config.operator_(); };
  erased.log = [&]() -> const config::v1::Log& { return config.log(); };
  erased.drain_delay = [&] { return ToDuration(config.drain_delay()); };
  erased.drain_timeout = [&] { return ToDuration(config.drain_timeout()); };
  return internal::RunServiceMain(argc, argv, erased);
}

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_SERVICE_MAIN_H_
