#include "services/runtime/service_main.h"

#include <csignal>
#include <cstdio>
#include <mutex>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/core/text/host_and_port.h"
#include "services/runtime/config/config_loader.h"
#include "services/runtime/heap.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/operator_endpoint.h"
#include "services/runtime/process_metrics.h"
#include "services/runtime/termination_signals.h"
#include "services/runtime/version.h"

namespace entrepot::runtime::internal {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr absl::Duration kDrainOverrun = absl::Seconds(5);

struct CommandLine {
  bool help = false;
  bool version = false;
  std::string config_file;
};

std::string Usage(absl::string_view name) {
  return absl::StrCat("Usage: ", name, " --config FILE\n", "       ", name, " --help | --version\n\n",
                      "FILE is YAML with the fields of proto/entrepot/config/v1. SIGTERM and SIGINT end the\n",
                      "process when the requests in progress have finished; a second one ends it at once.\n");
}

// The message of an error is for the user.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, char** argv) {
  CommandLine line;
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      line.help = true;
    } else if (argument == "--version") {
      line.version = true;
    } else if (absl::ConsumePrefix(&argument, "--config=")) {
      line.config_file = std::string(argument);
    } else if (argument == "--config" && i + 1 < argc) {
      line.config_file = argv[++i];
    } else if (argument == "--config") {
      return absl::InvalidArgumentError("--config needs a file");
    } else {
      return absl::InvalidArgumentError(absl::StrCat("unknown argument ", argument));
    }
  }
  if (!line.help && !line.version && line.config_file.empty()) {
    return absl::InvalidArgumentError("--config FILE is required");
  }
  return line;
}

void PrintProblem(absl::string_view problem) { std::fprintf(stderr, "%s\n", std::string(problem).c_str()); }

// Whether the configuration can be used. Prints its problems.
bool LoadAndCheck(const std::string& file, const ErasedService& service, ConfigProblems* problems) {
  if (const absl::Status status = LoadConfig(file, service.config); !status.ok()) {
    PrintProblem(status.message());
    return false;
  }
  service.fill_and_check(problems);
  for (const std::string& line : problems->lines()) PrintProblem(absl::StrCat(file, ": ", line));
  return problems->empty();
}

// The state that /readyz shows: that of the service, if it has started and is not draining.
class Readiness {
 public:
  void SetService(RunningService* service) {
    std::lock_guard lock(mutex_);
    service_ = service;
    why_not_ = "";
  }

  // Returns when no check of the service is in progress.
  void SetNotReady(absl::string_view why) {
    std::lock_guard lock(mutex_);
    service_ = nullptr;
    why_not_ = why;
  }

  absl::Status Check() {
    std::lock_guard lock(mutex_);
    return service_ != nullptr ? service_->CheckReady() : absl::UnavailableError(why_not_);
  }

 private:
  std::mutex mutex_;
  RunningService* service_ = nullptr;       // Guarded by mutex_.
  absl::string_view why_not_ = "starting";  // Guarded by mutex_.
};

void LogServing(const RunningService& service, const config::v1::Endpoint& endpoint, uint16_t operator_port) {
  const std::vector<std::pair<std::string, std::string>> addresses = service.Addresses();
  const std::string operator_url = absl::StrCat("http://", HostAndPort(endpoint.address(), operator_port));
  std::vector<LogField> fields;
  for (const auto& [name, address] : addresses) fields.emplace_back(name, address);
  fields.emplace_back("operator", operator_url);
  Log(LogLevel::kInfo, "serving", fields);
}

int Fail(absl::string_view message, const absl::Status& status) {
  Log(LogLevel::kError, message, {{"error", status.ToString()}});
  return kExitFailed;
}

int Serve(const ErasedService& service) {
  TerminationSignals signals;
  Readiness readiness;
  const HeapTrimmer heap_trimmer;
  auto endpoint = OperatorEndpoint::Start(service.operator_endpoint(), [&readiness] { return readiness.Check(); });
  if (!endpoint.ok()) return Fail("the operator endpoint could not be started", endpoint.status());

  const ServiceContext context = {
      .registry = std::make_shared<prometheus::Registry>(),
      .add_collectable =
          [&endpoint](std::weak_ptr<prometheus::Collectable> collectable) {
            (*endpoint)->AddCollectable(std::move(collectable));
          },
  };
  const auto process_metrics = std::make_shared<ProcessMetrics>(service.name);
  context.add_collectable(process_metrics);
  context.add_collectable(context.registry);

  absl::StatusOr<std::unique_ptr<RunningService>> running = service.start(context);
  if (!running.ok()) return Fail("the service could not be started", running.status());
  readiness.SetService(running->get());
  LogServing(**running, service.operator_endpoint(), (*endpoint)->port());

  const int signal = signals.Wait();
  Log(LogLevel::kInfo, "draining", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  const absl::Time deadline = absl::Now() + service.drain_timeout();
  signals.ExitAt(deadline + kDrainOverrun);
  readiness.SetNotReady("draining");
  (*running)->Drain(deadline);
  running->reset();
  Log(LogLevel::kInfo, "stopped", {{"service", service.name}});
  return 0;
}

}  // namespace

int RunServiceMain(int argc, char** argv, const ErasedService& service) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(argc, argv);
  if (!line.ok()) {
    PrintProblem(absl::StrCat(service.name, ": ", line.status().message()));
    PrintProblem(Usage(service.name));
    return kExitUsage;
  }
  if (line->help) {
    std::fputs(Usage(service.name).c_str(), stdout);
    return 0;
  }
  if (line->version) {
    std::printf("%s %s\n", service.name.c_str(), std::string(kVersion).c_str());
    return 0;
  }
  ConfigProblems problems;
  if (!LoadAndCheck(line->config_file, service, &problems)) return kExitUsage;
  SetLogLevel(ParseLogLevel(service.log().level()).value_or(LogLevel::kInfo));
  BoundHeap();
  Log(LogLevel::kInfo, "starting", {{"service", service.name}, {"version", kVersion}, {"config", line->config_file}});
  for (const std::string& warning : problems.warnings())
    Log(LogLevel::kWarning, "configuration", {{"warning", warning}});
  return Serve(service);
}

}  // namespace entrepot::runtime::internal
