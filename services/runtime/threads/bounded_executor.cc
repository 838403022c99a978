#include "services/runtime/threads/bounded_executor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "prometheus/family.h"
#include "services/status/oci_error.h"

namespace entrepot::runtime {
namespace {

prometheus::Family<prometheus::Counter>& Refused(prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("entrepot_queue_refused_total")
      .Help("Jobs that were refused because the queue was full, or their account had used up its share.")
      .Register(registry);
}

absl::Status Refusal(const std::string& reason) { return OciError(OciErrorCode::kUnavailable, reason, reason); }

}  // namespace

BoundedExecutor::Metrics::Metrics(prometheus::Registry& registry, const std::string& name)
    : jobs(prometheus::BuildGauge()
               .Name("entrepot_queue_jobs")
               .Help("Jobs of a bounded queue that run or wait.")
               .Register(registry)
               .Add({{"queue", name}})),
      refused(Refused(registry).Add({{"queue", name}, {"reason", "full"}})),
      refused_to_owner(Refused(registry).Add({{"queue", name}, {"reason", "share"}})) {}

BoundedExecutor::BoundedExecutor(const Options& options)
    : options_(options),
      share_(std::max<size_t>(options.jobs_max / 4, 1)),
      registry_(options.registry != nullptr ? options.registry : std::make_shared<prometheus::Registry>()),
      metrics_(*registry_, options.name),
      threads_(options.threads) {}

absl::StatusOr<BoundedExecutor::Place> BoundedExecutor::Reserve(absl::string_view owner) {
  absl::MutexLock lock(&mutex_);
  if (taken_ >= options_.jobs_max) {
    metrics_.refused.Increment();
    return Refusal(absl::StrCat(taken_, " ", options_.jobs, " run or wait, as many as ", options_.setting, " allows"));
  }
  if (!owner.empty()) {
    size_t& taken = taken_by_[owner];
    if (taken >= share_) {
      metrics_.refused_to_owner.Increment();
      return Refusal(absl::StrCat(taken, " ", options_.jobs, " of this account run or wait, a quarter of those that ",
                                  options_.setting, " allows"));
    }
    ++taken;
  }
  ++taken_;
  metrics_.jobs.Set(static_cast<double>(taken_));
  return Place(this, std::string(owner));
}

void BoundedExecutor::Release(const std::string& owner) {
  absl::MutexLock lock(&mutex_);
  --taken_;
  metrics_.jobs.Set(static_cast<double>(taken_));
  if (const auto found = taken_by_.find(owner); found != taken_by_.end() && --found->second == 0) {
    taken_by_.erase(found);
  }
}

}  // namespace entrepot::runtime
