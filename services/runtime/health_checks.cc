#include "services/runtime/health_checks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace entrepot::runtime {
namespace {

using std::chrono::steady_clock;

double SecondsBetween(steady_clock::time_point from, steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

absl::string_view Verdict(Readiness readiness) {
  switch (readiness) {
    case Readiness::kNone:
      return "not ready";
    case Readiness::kPulls:
      return "ready for pulls only";
    case Readiness::kAll:
      return "ready";
  }
  return "";
}

prometheus::MetricFamily Gauges(std::string name, std::string help) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Gauge;
  return family;
}

void AddGauge(prometheus::ClientMetric::Label label, double number, prometheus::MetricFamily* family) {
  prometheus::ClientMetric metric;
  metric.label.push_back(std::move(label));
  metric.gauge.value = number;
  family->metric.push_back(std::move(metric));
}

}  // namespace

HealthChecks::HealthChecks(std::vector<HealthCheck> checks, const Options& options)
    : checks_(std::move(checks)), options_(options), states_(checks_.size()) {
  for (size_t i = 0; i < checks_.size(); ++i) {
    tasks_.push_back(std::make_unique<PeriodicTask>(options_.interval, [this, i] { Run(i); }));
  }
}

HealthChecks::~HealthChecks() { Stop(); }

void HealthChecks::Stop() { tasks_.clear(); }

void HealthChecks::Run(size_t index) {
  {
    absl::MutexLock lock(&mutex_);
    states_[index].begun_at = steady_clock::now();
  }
  absl::Status answer = checks_[index].check();
  absl::MutexLock lock(&mutex_);
  State& state = states_[index];
  state.begun_at.reset();
  state.answered_at = steady_clock::now();
  state.answer = std::move(answer);
}

absl::Status HealthChecks::StatusOf(const State& state, Time now) const {
  if (!state.begun_at.has_value()) return state.answer;
  const double seconds = SecondsBetween(*state.begun_at, now);
  if (seconds <= absl::ToDoubleSeconds(options_.patience)) return state.answer;
  return absl::UnavailableError(absl::StrFormat("has not answered for %.0f s", seconds));
}

ReadinessReport HealthChecks::Report() const {
  ReadinessReport report{.readiness = Readiness::kAll, .complete = true, .text = ""};
  std::string failed;
  std::string passed;
  absl::MutexLock lock(&mutex_);
  const Time now = steady_clock::now();
  for (size_t i = 0; i < checks_.size(); ++i) {
    const State& state = states_[i];
    const absl::Status status = StatusOf(state, now);
    const std::string age =
        state.answered_at.has_value() ? absl::StrFormat(" (%.1f s ago)", SecondsBetween(*state.answered_at, now)) : "";
    report.complete &= state.answered_at.has_value();
    if (status.ok()) {
      absl::StrAppend(&passed, "ok: ", checks_[i].name, age, "\n");
      continue;
    }
    report.readiness = std::min(report.readiness, checks_[i].without);
    absl::StrAppend(&failed,
                    checks_[i].without == Readiness::kNone ? "cannot pull: " : "cannot push: ", checks_[i].name, ": ",
                    status.message(), age, "\n");
  }
  report.text = absl::StrCat(Verdict(report.readiness), "\n", failed, passed);
  return report;
}

std::vector<prometheus::MetricFamily> HealthChecks::Collect() const {
  const Readiness readiness = Report().readiness;
  prometheus::MetricFamily ready = Gauges("entrepot_ready", "Whether pulls, and pushes, can be served.");
  AddGauge({"for", "pulls"}, readiness >= Readiness::kPulls ? 1 : 0, &ready);
  AddGauge({"for", "pushes"}, readiness == Readiness::kAll ? 1 : 0, &ready);

  prometheus::MetricFamily ok = Gauges("entrepot_health_check_ok", "Whether a check of /readyz passes.");
  prometheus::MetricFamily age =
      Gauges("entrepot_health_check_age_seconds", "The time since a check of /readyz last answered.");
  absl::MutexLock lock(&mutex_);
  const Time now = steady_clock::now();
  for (size_t i = 0; i < checks_.size(); ++i) {
    AddGauge({"check", checks_[i].name}, StatusOf(states_[i], now).ok() ? 1 : 0, &ok);
    if (states_[i].answered_at.has_value()) {
      AddGauge({"check", checks_[i].name}, SecondsBetween(*states_[i].answered_at, now), &age);
    }
  }
  return {std::move(ready), std::move(ok), std::move(age)};
}

}  // namespace entrepot::runtime
