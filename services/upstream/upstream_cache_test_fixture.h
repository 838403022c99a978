#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_TEST_FIXTURE_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_TEST_FIXTURE_H_

#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"
#include "services/upstream/names/upstreams_file.h"
#include "services/upstream/testing/fake_cache_store.h"
#include "services/upstream/testing/fake_upstream_registry.h"
#include "services/upstream/upstream_cache.h"

namespace entrepot::upstream {

// An upstream whose answers about manifests can be held back.
class HeldUpstream final : public FakeUpstreamRegistry {
 public:
  void HoldManifests() {
    const absl::MutexLock lock(&mutex_);
    held_ = true;
  }
  void ReleaseManifests() {
    const absl::MutexLock lock(&mutex_);
    held_ = false;
  }
  // The number of calls that wait.
  int waiting() const {
    const absl::MutexLock lock(&mutex_);
    return waiting_;
  }

  // Does nothing for a process that only restarts.
  void Stop() override {
    const absl::MutexLock lock(&mutex_);
    if (!stays_) FakeUpstreamRegistry::Stop();
  }
  void StayWhenStopped(bool stays) {
    const absl::MutexLock lock(&mutex_);
    stays_ = stays;
  }

  absl::StatusOr<UpstreamManifest> HeadManifest(const std::string& repository, const Reference& reference) override {
    Wait();
    return FakeUpstreamRegistry::HeadManifest(repository, reference);
  }
  absl::StatusOr<UpstreamManifest> GetManifest(const std::string& repository, const Reference& reference) override {
    Wait();
    return FakeUpstreamRegistry::GetManifest(repository, reference);
  }

 private:
  void Wait() {
    const absl::MutexLock lock(&mutex_);
    ++waiting_;
    const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !held_; };
    mutex_.Await(absl::Condition(&free));
    --waiting_;
  }

  mutable absl::Mutex mutex_;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stays_ ABSL_GUARDED_BY(mutex_) = false;
};

// A store that may refuse manifests.
class RefusingStore final : public FakeCacheStore {
 public:
  absl::StatusOr<Digest> PutManifest(const RepositoryName& repository, const std::string& upstream,
                                     const std::string& media_type, const std::string& content,
                                     const std::optional<Tag>& tag) override {
    if (!refusal.ok()) return refusal;
    return FakeCacheStore::PutManifest(repository, upstream, media_type, content, tag);
  }

  // Set while nothing is put.
  absl::Status refusal;
};

// A cache of the upstream up.example, whose repository team/app is up.example/team/app here, over fakes.
class UpstreamCacheTest : public testing::Test {
 protected:
  static constexpr char kType[] = "application/vnd.oci.image.manifest.v1+json";

  void SetUp() override {
    WriteFile("");
    Open();
  }

  // `fields`: further fields of the upstream's entry, each on a line with four spaces before it.
  void WriteFile(absl::string_view fields) {
    std::ofstream(path()) << "upstreams:\n  - name: up.example\n" << fields;
    if (file_ != nullptr) {
      ASSERT_OK(file_->ReloadIfChanged());
    }
  }
  void WriteFileWithoutTheUpstream() {
    std::ofstream(path()) << "upstreams:\n  - name: other.example\n";
    ASSERT_OK(file_->ReloadIfChanged());
  }

  // As after the end of the process.
  void Open() {
    upstream_->StayWhenStopped(true);
    cache_.reset();
    upstream_->StayWhenStopped(false);
    registry_ = std::make_shared<prometheus::Registry>();
    ASSERT_OK_AND_ASSIGN(file_, UpstreamsFile::Open(path(), registry_, absl::ZeroDuration()));
    UpstreamCache::Options options;
    options.spool_directory = directory_.path() + "/spool";
    options.registry = registry_;
    options.make_registry = [this](const config::v1::Upstream&) -> absl::StatusOr<std::shared_ptr<UpstreamRegistry>> {
      return upstream_;
    };
    options.confirmation_patience = patience_;
    ASSERT_OK_AND_ASSIGN(cache_, UpstreamCache::Create(file_.get(), &store_, &kv_, &clock_, options));
  }

  absl::StatusOr<ResolvedManifest> Resolve(absl::string_view reference, bool metadata_only = false) {
    return cache_->ResolveManifest(app_, *ParseReference(reference), metadata_only);
  }
  std::optional<RecalledTag> Recall(absl::string_view tag) { return cache_->RecallTag(app_, *Tag::Parse(tag)); }
  Digest AddManifest(const std::string& content, const std::string& tag) {
    return upstream_->AddManifest("team/app", kType, content, tag);
  }
  int heads() const { return upstream_->calls("HeadManifest"); }
  int gets() const { return upstream_->calls("GetManifest"); }

  // The value of entrepot_upstream_resolves_total.
  int Resolves(absl::string_view result) const {
    for (const prometheus::MetricFamily& family : registry_->Collect()) {
      if (family.name != "entrepot_upstream_resolves_total") continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        for (const auto& label : metric.label) {
          if (label.name == "result" && label.value == result) return static_cast<int>(metric.counter.value);
        }
      }
    }
    return -1;
  }

  std::string path() const { return directory_.path() + "/upstreams.yaml"; }

  const RepositoryName app_ = *RepositoryName::Parse("up.example/team/app");
  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  RefusingStore store_;
  absl::Duration patience_ = absl::Seconds(30);
  std::shared_ptr<HeldUpstream> upstream_ = std::make_shared<HeldUpstream>();
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<UpstreamsFile> file_;
  std::unique_ptr<UpstreamCache> cache_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CACHE_TEST_FIXTURE_H_
