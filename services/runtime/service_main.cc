#include "services/runtime/service_main.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "services/core/text/host_and_port.h"
#include "services/runtime/config/config_loader.h"
#include "services/runtime/config/descriptor_checks.h"
#include "services/runtime/health_checks.h"
#include "services/runtime/heap.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/log/limited_log.h"
#include "services/runtime/operator_endpoint.h"
#include "services/runtime/process_metrics.h"
#include "services/runtime/termination_signals.h"
#include "services/runtime/threads/periodic_task.h"
#include "services/runtime/version.h"

namespace entrepot::runtime::internal {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr absl::Duration kDrainOverrun = absl::Seconds(5);
constexpr absl::Duration kReadinessInterval = absl::Seconds(1);

// The soft limit is often 1,024, for programs that use select(); this one does not.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

struct CommandLine {
  bool help = false;
  bool version = false;
  std::string config_file;
};

std::string Usage(absl::string_view name) {
  return absl::StrCat("Usage: ", name, " --config FILE\n", "       ", name, " --help | --version\n\n",
                      "FILE is YAML with the fields of proto/entrepot/config/v1. On SIGTERM or SIGINT the\n",
                      "process reports that it is not ready, waits for drain_delay, finishes the requests in\n",
                      "progress, for at most drain_timeout, and ends. A second signal ends it at once.\n");
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
  if (const absl::Status status = LoadConfig(file, service.config, problems); !status.ok()) {
    PrintProblem(status.message());
    return false;
  }
  // Checks of values that could not be read would find problems that are none.
  if (problems->empty()) service.fill_and_check(problems);
  for (const std::string& line : problems->LinesOf(file)) PrintProblem(line);
  return problems->empty();
}

// What /readyz shows: the checks of the service, if it has started and is not draining.
class ProcessState {
 public:
  void SetServing(const HealthChecks* checks) {
    std::lock_guard lock(mutex_);
    checks_ = checks;
  }

  void SetDraining() {
    std::lock_guard lock(mutex_);
    checks_ = nullptr;
    otherwise_ = "draining\n";
  }

  ReadinessReport Report() {
    std::lock_guard lock(mutex_);
    if (checks_ != nullptr) return checks_->Report();
    return {.readiness = Readiness::kNone, .complete = true, .text = std::string(otherwise_)};
  }

 private:
  std::mutex mutex_;
  const HealthChecks* checks_ = nullptr;        // Guarded by mutex_.
  absl::string_view otherwise_ = "starting\n";  // Guarded by mutex_.
};

// Passes on what the process is ready for, and logs when it changes.
class ReadinessWatch {
 public:
  ReadinessWatch(const HealthChecks* checks, RunningService* service)
      : task_(kReadinessInterval, [this, checks, service] { Show(checks->Report(), service); }) {}

 private:
  void Show(const ReadinessReport& report, RunningService* service) {
    // Not before each check has answered: other processes need not see that this one has just started.
    if (!report.complete) return;
    service->ShowReadiness(report.readiness);
    if (report.readiness == shown_) return;
    shown_ = report.readiness;
    Log(shown_ == Readiness::kAll ? LogLevel::kInfo : LogLevel::kWarning, "readiness changed",
        {{"report", absl::string_view(report.text)}});
  }

  Readiness shown_ = Readiness::kAll;
  PeriodicTask task_;
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
  // Records contain signing keys and hashes of passwords, and not every library lets us choose the mode of its files.
  ::umask(S_IRWXG | S_IRWXO);
  TerminationSignals signals;
  ProcessState state;
  const HeapTrimmer heap_trimmer;
  auto endpoint = OperatorEndpoint::Start(service.operator_endpoint(), [&state] { return state.Report(); });
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
  const auto health = std::make_shared<HealthChecks>((*running)->Checks(), HealthChecks::Options());
  context.add_collectable(health);
  state.SetServing(health.get());
  auto watch = std::make_unique<ReadinessWatch>(health.get(), running->get());
  LogServing(**running, service.operator_endpoint(), (*endpoint)->port());

  const int signal = signals.Wait();
  Log(LogLevel::kInfo, "draining", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  signals.ExitAt(Deadline::After(service.drain_delay() + service.drain_timeout() + kDrainOverrun));
  state.SetDraining();
  watch.reset();
  if (service.drain_delay() > absl::ZeroDuration()) {
    (*running)->AnnounceDrain();
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(service.drain_delay()));
  }
  (*running)->Drain(Deadline::After(service.drain_timeout()));
  health->Stop();
  running->reset();
  FlushLimitedLog();
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
  // Debian builds Abseil with its search for deadlocks, which costs each lock some time. Unit tests have it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  RaiseDescriptorLimit();  // The checks compare limits with it.
  ConfigProblems problems;
  if (!LoadAndCheck(line->config_file, service, &problems)) return kExitUsage;
  SetLogLevel(ParseLogLevel(service.log().level()).value_or(LogLevel::kInfo));
  BoundHeap();
  Log(LogLevel::kInfo, "starting",
      {{"service", service.name},
       {"version", kVersion},
       {"config", line->config_file},
       {"file_descriptors", DescriptorLimit()}});
  for (const std::string& warning : problems.warnings())
    Log(LogLevel::kWarning, "configuration", {{"warning", warning}});
  return Serve(service);
}

}  // namespace entrepot::runtime::internal
