#include "services/manifest/scrub/damage_reports.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/family.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::manifest {
namespace {

prometheus::Family<prometheus::Counter>& Reports(prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("entrepot_damage_reports_total")
      .Help("Reports of readers that a blob is damaged, by what became of them.")
      .Register(registry);
}

absl::Status Ending() { return absl::CancelledError("the process is ending"); }

void CallAll(std::vector<DamageReports::Done> waiters, const absl::Status& status) {
  for (DamageReports::Done& done : waiters) done(status);
}

}  // namespace

std::string DamageReports::Report::Name() const { return absl::StrCat(digest.ToString(), " ", storage_key.ToString()); }

DamageReports::Metrics::Metrics(prometheus::Registry& registry)
    : queued(Reports(registry).Add({{"result", "queued"}})),
      repeated(Reports(registry).Add({{"result", "repeated"}})),
      dropped(Reports(registry).Add({{"result", "dropped"}})),
      failed(Reports(registry).Add({{"result", "failed"}})),
      waiting(prometheus::BuildGauge()
                  .Name("entrepot_damage_reports_waiting")
                  .Help("Reported blobs that wait to be verified.")
                  .Register(registry)
                  .Add({})) {}

DamageReports::DamageReports(const Clock* clock, Verify verify, const Options& options)
    : clock_(*clock),
      verify_(std::move(verify)),
      waiting_max_(options.waiting_max),
      registry_(options.registry != nullptr ? options.registry : std::make_shared<prometheus::Registry>()),
      metrics_(*registry_) {}

DamageReports::~DamageReports() { Stop(); }

void DamageReports::Stop() {
  std::map<std::string, std::vector<Done>> dropped;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    dropped.swap(known_);
    waiting_ = 0;
    metrics_.waiting.Set(0);
  }
  for (auto& [name, waiters] : dropped) CallAll(std::move(waiters), Ending());
}

void DamageReports::Add(const Digest& digest, const StorageKey& storage_key, Done done) {
  const std::optional<absl::Status> now = Queue({.digest = digest, .storage_key = storage_key}, done);
  if (now.has_value()) done(*now);
}

std::optional<absl::Status> DamageReports::Queue(Report report, Done& done) {
  const std::string name = report.Name();
  absl::MutexLock lock(&mutex_);
  if (stopped_) return Ending();
  const auto known = known_.find(name);
  const bool was_verified = WasVerified(name);
  if (known != known_.end() || was_verified) metrics_.repeated.Increment();
  if (known != known_.end()) {
    known->second.push_back(std::move(done));
    return std::nullopt;
  }
  if (was_verified) return absl::OkStatus();
  if (waiting_ >= waiting_max_) {
    metrics_.dropped.Increment();
    return absl::ResourceExhaustedError(
        absl::StrCat(waiting_, " damaged blobs wait to be verified, as many as collector.damage_reports_max allows"));
  }
  known_[name].push_back(std::move(done));
  metrics_.queued.Increment();
  metrics_.waiting.Set(static_cast<double>(++waiting_));
  thread_.Post([this, report = std::move(report)] { VerifyNow(report); });
  return std::nullopt;
}

bool DamageReports::WasVerified(const std::string& name) {
  const absl::Time* const verified_at = verified_at_.Find(name);
  if (verified_at == nullptr) return false;
  const absl::Duration ago = clock_.Now() - *verified_at;
  return absl::ZeroDuration() <= ago && ago < kRemembered;
}

void DamageReports::VerifyNow(const Report& report) {
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return;
    metrics_.waiting.Set(static_cast<double>(--waiting_));
  }
  const absl::Status status = verify_(report.digest, report.storage_key);
  std::map<std::string, std::vector<Done>>::node_type waiters;
  {
    absl::MutexLock lock(&mutex_);
    waiters = known_.extract(report.Name());
    if (status.ok()) {
      verified_at_[report.Name()] = clock_.Now();
    } else if (!stopped_) {
      metrics_.failed.Increment();
      runtime::Log(runtime::LogLevel::kWarning, "a reported blob could not be verified",
                   {{"digest", report.digest.ToString()}, {"error", status.message()}});
    }
  }
  if (!waiters.empty()) CallAll(std::move(waiters.mapped()), status);
}

}  // namespace entrepot::manifest
