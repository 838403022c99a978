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
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"

namespace entrepot::runtime {

// A process's stack, running: its listeners are open and it answers.
class RunningService {
 public:
  // After Drain(); frees everything. Nothing of it is used any more.
  virtual ~RunningService() = default;

  // OK, or why requests should go elsewhere for now; /readyz shows it. Called on the operator endpoint's thread beside
  // everything else, never during or after Drain(). It may ask a dependency, but returns within a second.
  virtual absl::Status CheckReady() = 0;

  // What it listens on, for the log line "serving": {{"listen", "http://127.0.0.1:5000"}}.
  virtual std::vector<std::pair<std::string, std::string>> Addresses() const = 0;

  // Accepts nothing new, lets what is under way finish until `deadline`, cuts off the rest, and returns when nothing is
  // under way. Called once, on the main thread.
  virtual void Drain(absl::Time deadline) = 0;
};

// What a stack is built with. It outlives the stack.
struct ServiceContext {
  // Shown at /metrics.
  std::shared_ptr<prometheus::Registry> registry;
  // Shows metrics that are collected when asked for (RocksDB's). It is dropped once the object is gone. Any thread.
  std::function<void(std::weak_ptr<prometheus::Collectable>)> add_collectable;
};

// What distinguishes one process from another. Config is its message of proto/entrepot/config/v1, which has `operator`,
// `log` and `drain_timeout`.
template <typename Config>
struct ServiceDefinition {
  // The binary's name, "entrepot-gateway": in --help, --version, the first log line and entrepot_build_info.
  std::string name;

  // Sets what the file left out, then adds every problem. `log` and `drain_timeout` are filled and checked already, as
  // is `operator` (by default at 127.0.0.1:default_operator_port; 0 there makes the port required).
  uint32_t default_operator_port = 0;
  std::function<void(Config*, ConfigProblems*)> fill_and_check;

  // Builds the stack and opens its listeners. An error is logged and ends the process with code 1.
  std::function<absl::StatusOr<std::unique_ptr<RunningService>>(const Config&, const ServiceContext&)> start;
};

// The whole of a main(): parses --config FILE (required), --help and --version; loads and checks the configuration;
// serves /healthz, /readyz and /metrics on the operator endpoint, from before start() on; runs the service until
// SIGTERM or SIGINT; then /readyz answers 503, the service is drained within drain_timeout and destroyed.
//
// Returns the process's exit code:
//   0  --help, --version, or a drain after a signal
//   1  the operator endpoint or the service could not be started; or the drain overran its deadline by 5 s
//   2  the command line or the configuration is wrong; each problem is one plain line on stderr
// A second signal ends the process at once with code 128 + its number. SIGPIPE is ignored. Call it on the main thread
// before any other thread is started.
template <typename Config>
int ServiceMain(int argc, char** argv, const ServiceDefinition<Config>& definition);

// ---------------------------------------------------------------------------------------------------------------------

namespace internal {

// ServiceDefinition without the type of its message.
struct ErasedService {
  std::string name;
  google::protobuf::Message* config;
  std::function<void(ConfigProblems*)> fill_and_check;
  std::function<absl::StatusOr<std::unique_ptr<RunningService>>(const ServiceContext&)> start;
  std::function<const config::v1::Endpoint&()> operator_endpoint;
  std::function<const config::v1::Log&()> log;
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
    CheckDuration("drain_timeout", config.drain_timeout(), problems);
    definition.fill_and_check(&config, problems);
  };
  erased.start = [&](const ServiceContext& context) { return definition.start(config, context); };
  erased.operator_endpoint = [&]() -> const config::v1::Endpoint& { return config.operator_(); };
  erased.log = [&]() -> const config::v1::Log& { return config.log(); };
  erased.drain_timeout = [&] { return ToDuration(config.drain_timeout()); };
  return internal::RunServiceMain(argc, argv, erased);
}

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_SERVICE_MAIN_H_
