#include "services/upstream/upstream_set.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/runtime/log/json_log.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kRetryInterval = absl::Seconds(10);

// In place of a client that cannot be made.
class UnusableRegistry final : public UpstreamRegistry {
 public:
  explicit UnusableRegistry(absl::Status status) : status_(std::move(status)) {}

  absl::StatusOr<UpstreamManifest> HeadManifest(const std::string&, const Reference&) override { return status_; }
  absl::StatusOr<UpstreamManifest> GetManifest(const std::string&, const Reference&) override { return status_; }
  absl::StatusOr<UpstreamBlobHead> HeadBlob(const std::string&, const Digest&) override { return status_; }
  absl::Status GetBlob(const std::string&, const Digest&, uint64_t, const BlobSink&) override { return status_; }
  absl::StatusOr<std::vector<std::string>> ListTags(const std::string&, size_t) override { return status_; }
  absl::StatusOr<std::vector<Referrer>> ListReferrers(const std::string&, const Digest&) override { return status_; }
  RateLimit rate_limit() const override { return {}; }
  void Stop() override {}

 private:
  const absl::Status status_;
};

}  // namespace

UpstreamSet::UpstreamSet(const UpstreamsFile* file, MakeRegistry make, const Clock* clock, UpstreamMetrics* metrics)
    : file_(*file), make_(std::move(make)), clock_(*clock), metrics_(*metrics) {
  const absl::MutexLock lock(&mutex_);
  UseCurrentLocked();
}

std::shared_ptr<GuardedRegistry> UpstreamSet::Find(absl::string_view name) {
  const absl::MutexLock lock(&mutex_);
  UseCurrentLocked();
  const auto found = members_.find(name);
  return found == members_.end() ? nullptr : found->second.registry;
}

std::shared_ptr<GuardedRegistry> UpstreamSet::FindReady(absl::string_view name) const ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // Held exclusively while clients are made, which reads files.
  if (!mutex_.ReaderTryLock()) return nullptr;
  const auto found = members_.find(name);
  const bool ready = found != members_.end() && found->second.usable && file_.current() == snapshot_;
  std::shared_ptr<GuardedRegistry> registry = ready ? found->second.registry : nullptr;
  mutex_.ReaderUnlock();
  return registry;
}

std::vector<std::shared_ptr<GuardedRegistry>> UpstreamSet::All() {
  const absl::MutexLock lock(&mutex_);
  UseCurrentLocked();
  std::vector<std::shared_ptr<GuardedRegistry>> all;
  for (const config::v1::Upstream& upstream : snapshot_->file.upstreams()) {
    all.push_back(members_.at(upstream.name()).registry);
  }
  return all;
}

void UpstreamSet::UseCurrentLocked() {
  std::shared_ptr<const UpstreamsSnapshot> snapshot = file_.current();
  if (snapshot == snapshot_ && !incomplete_) return;
  Members members;
  incomplete_ = false;
  for (const config::v1::Upstream& upstream : snapshot->file.upstreams()) {
    const auto now = members_.find(upstream.name());
    const bool keep =
        now != members_.end() && now->second.entry == upstream.SerializeAsString() && !IsDueLocked(now->second);
    const Member& member = members[upstream.name()] = keep ? now->second : Make(upstream);
    incomplete_ = incomplete_ || !member.usable;
    // Made while the service ends.
    if (stopped_ && !keep) member.registry->Stop();
  }
  for (const auto& [name, member] : members_) {
    const auto now = members.find(name);
    if (now == members.end()) metrics_.Remove(name);
    if (now == members.end() || now->second.registry != member.registry) former_.push_back(member.registry);
  }
  std::erase_if(former_, [](const std::weak_ptr<GuardedRegistry>& registry) { return registry.expired(); });
  members_ = std::move(members);
  snapshot_ = std::move(snapshot);
}

bool UpstreamSet::IsDueLocked(const Member& member) const {
  if (member.usable) return false;
  const absl::Duration since = clock_.Now() - member.made_at;
  return since < absl::ZeroDuration() || since >= kRetryInterval;
}

UpstreamSet::Member UpstreamSet::Make(const config::v1::Upstream& upstream) {
  metrics_.Add(upstream.name());
  absl::StatusOr<std::shared_ptr<UpstreamRegistry>> made = make_(upstream);
  Member member{
      .registry = nullptr, .entry = upstream.SerializeAsString(), .usable = made.ok(), .made_at = clock_.Now()};
  if (!made.ok()) {
    metrics_.SetUp(upstream.name(), false);
    runtime::Log(runtime::LogLevel::kError, "an upstream cannot be used",
                 {{"upstream", upstream.name()}, {"error", made.status().message()}});
    made = std::make_shared<UnusableRegistry>(
        UpstreamError(UpstreamFailure::kUnavailable,
                      absl::StrCat("the upstream ", upstream.name(), " cannot be used: ", made.status().message())));
  }
  member.registry = std::make_shared<GuardedRegistry>(upstream, *std::move(made), &clock_, &metrics_);
  return member;
}

void UpstreamSet::Stop() {
  const absl::MutexLock lock(&mutex_);
  stopped_ = true;
  for (const auto& [name, member] : members_) member.registry->Stop();
  for (const std::weak_ptr<GuardedRegistry>& former : former_) {
    if (const std::shared_ptr<GuardedRegistry> registry = former.lock(); registry != nullptr) registry->Stop();
  }
}

}  // namespace entrepot::upstream
