#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/postgres_test_engine.h"
#include "services/kv/testing/test_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/policy/policy.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::IsEmpty;

// One of the few manifests that the test uses.
struct Sample {
  std::string content;
  std::string media_type;
  std::vector<Digest> blobs;
  std::vector<Digest> children;
  std::optional<Digest> subject;
};

// The expected content of one repository, as plain sets and maps.
struct ModelRepository {
  std::set<Digest> blobs;
  std::map<Digest, const Sample*> manifests;
  std::map<std::string, Digest> tags;

  // Whether the immutable tag needs the manifest.
  bool Holds(const std::string& immutable_tag, const Digest& manifest) const {
    const auto tag = tags.find(immutable_tag);
    if (tag != tags.end() && tag->second == manifest) return true;
    return std::any_of(manifests.begin(), manifests.end(), [&](const auto& entry) {
      const std::vector<Digest>& children = entry.second->children;
      return std::find(children.begin(), children.end(), manifest) != children.end() &&
             Holds(immutable_tag, entry.first);
    });
  }
  bool HoldsBlob(const std::string& immutable_tag, const Digest& blob) const {
    return std::any_of(manifests.begin(), manifests.end(), [&](const auto& entry) {
      const std::vector<Digest>& needed = entry.second->blobs;
      return std::find(needed.begin(), needed.end(), blob) != needed.end() && Holds(immutable_tag, entry.first);
    });
  }
};

class Model {
 public:
  // Null if nothing was ever pushed to the repository.
  ModelRepository* Find(const std::string& name) {
    const auto found = repositories_.find(name);
    return found == repositories_.end() ? nullptr : &found->second;
  }
  ModelRepository& Make(const std::string& name) { return repositories_[name]; }
  void Delete(const std::string& name) { repositories_.erase(name); }
  const std::map<std::string, ModelRepository>& repositories() const { return repositories_; }

  bool HasBlob(const std::string& name, const Digest& digest) {
    const ModelRepository* const repository = Find(name);
    return repository != nullptr && repository->blobs.count(digest) > 0;
  }
  bool AnyHasBlob(const Digest& digest) const {
    return std::any_of(repositories_.begin(), repositories_.end(),
                       [&](const auto& entry) { return entry.second.blobs.count(digest) > 0; });
  }
  bool HasAllOf(const std::string& name, const Sample& sample) {
    const ModelRepository* const repository = Find(name);
    return std::all_of(sample.blobs.begin(), sample.blobs.end(),
                       [&](const Digest& blob) { return HasBlob(name, blob); }) &&
           std::all_of(sample.children.begin(), sample.children.end(), [&](const Digest& child) {
             return repository != nullptr && repository->manifests.count(child) > 0;
           });
  }

 private:
  std::map<std::string, ModelRepository> repositories_;
};

class CatalogModelTest : public testing::TestWithParam<kv::TestEngineKind> {
 protected:
  CatalogModelTest() : engine_(GetParam().make()) {
    for (int i = 0; i < 6; ++i) blobs_.push_back(absl::StrCat("blob ", i));
    samples_.reserve(12);
    for (int i = 0; i < 5; ++i) AddImage(i);
    AddIndex({0, 1});
    AddIndex({2});
    AddIndex({});
    Open();
  }

  void AddImage(int i) {
    const Blob config = Upload(blobs_[i]);
    const Blob layer = Upload(blobs_[i + 1]);
    std::optional<Digest> subject;
    std::string more = absl::StrCat(",\"n\":", i);
    if (i >= 3) {
      more += SubjectMember(samples_[0].content);
      subject = DigestOf(samples_[0].content);
    }
    samples_.push_back({ImageJson(config, {layer}, more), kImageType, {config.digest, layer.digest}, {}, subject});
  }

  void AddIndex(const std::vector<int>& children) {
    std::vector<std::string> contents;
    std::vector<Digest> digests;
    for (const int child : children) {
      contents.push_back(samples_[child].content);
      digests.push_back(DigestOf(samples_[child].content));
    }
    samples_.push_back({IndexJson(contents), kIndexType, {}, digests, std::nullopt});
  }

  void Open() {
    RegistryCatalog::Options options;
    options.policy = [this] { return policy_; };
    catalog_ = RegistryCatalog::Create(engine_->get(), &clock_, options).value();
  }
  void Reopen() {
    catalog_.reset();
    engine_->Reopen();
    Open();
  }

  template <typename T>
  const T& Any(const std::vector<T>& choices) {
    return choices[absl::Uniform<size_t>(random_, 0, choices.size())];
  }

  void Commit() {
    const std::string& name = Any(names_);
    const Digest digest = DigestOf(Any(blobs_));
    const std::string& content =
        *std::find_if(blobs_.begin(), blobs_.end(), [&](const std::string& blob) { return DigestOf(blob) == digest; });
    const bool known = committed_.count(digest) > 0;
    EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, Repo(name), Upload(content)), IsOkAndHolds(known));
    committed_.insert(digest);
    model_.Make(name).blobs.insert(digest);
  }

  void Mount() {
    const std::string& name = Any(names_);
    const Digest digest = DigestOf(Any(blobs_));
    std::optional<RepositoryName> source;
    bool there = model_.HasBlob(name, digest);
    if (absl::Bernoulli(random_, 0.5)) {
      const std::string& from = Any(names_);
      source = Repo(from);
      there = there || model_.HasBlob(from, digest);
    } else {
      there = there || model_.AnyHasBlob(digest);
    }
    EXPECT_EQ(catalog_->blobs().Mount(kAnonymous, Repo(name), digest, source).ok(), there);
    if (there) model_.Make(name).blobs.insert(digest);
  }

  void Unlink() {
    const std::string& name = Any(names_);
    const Digest digest = DigestOf(Any(blobs_));
    const bool there = model_.HasBlob(name, digest);
    const absl::Status status = catalog_->blobs().Unlink(kAnonymous, Repo(name), digest);
    if (there && IsRuled(name) && model_.Find(name)->HoldsBlob(kImmutable, digest)) return ExpectDenied(status);
    EXPECT_EQ(status.ok(), there);
    if (there) model_.Make(name).blobs.erase(digest);
  }

  void Put() {
    const std::string& name = Any(names_);
    const Sample& sample = Any(samples_);
    const std::string& tag = Any(tags_);
    const bool by_tag = absl::Bernoulli(random_, 0.7);
    const bool complete = model_.HasAllOf(name, sample);
    const auto result = catalog_->manifests().Put(
        kAnonymous, Repo(name),
        by_tag ? PutByTag(tag, sample.content, sample.media_type) : PutByDigest(sample.content, sample.media_type));
    if (by_tag && tag == kImmutable && IsRuled(name) && MovesTag(name, DigestOf(sample.content))) {
      return ExpectDenied(result.status());
    }
    EXPECT_EQ(result.ok(), complete) << result.status();
    if (!complete) {
      EXPECT_THAT(result, IsOciError(OciErrorCode::kManifestBlobUnknown));
      return;
    }
    EXPECT_EQ(result->subject, sample.subject);
    ModelRepository& repository = model_.Make(name);
    repository.manifests[result->digest] = &sample;
    if (by_tag) repository.tags.insert_or_assign(tag, result->digest);
  }

  void Delete() {
    const std::string& name = Any(names_);
    ModelRepository* const repository = model_.Find(name);
    if (absl::Bernoulli(random_, 0.5)) {
      const std::string& tag = Any(tags_);
      const absl::Status status = catalog_->manifests().Delete(kAnonymous, Repo(name), TagNamed(tag));
      if (tag == kImmutable && HasRuledTag(name)) return ExpectDenied(status);
      const bool there = repository != nullptr && repository->tags.erase(tag) > 0;
      EXPECT_EQ(status.ok(), there);
      return;
    }
    const Digest digest = DigestOf(Any(samples_).content);
    const absl::Status status = catalog_->manifests().Delete(kAnonymous, Repo(name), digest);
    const bool there = repository != nullptr && repository->manifests.count(digest) > 0;
    if (there && IsRuled(name) && repository->Holds(kImmutable, digest)) return ExpectDenied(status);
    EXPECT_EQ(status.ok(), there);
    if (there) repository->manifests.erase(digest);
    if (there) std::erase_if(repository->tags, [&](const auto& tag) { return tag.second == digest; });
  }

  void DeleteRepository() {
    const std::string& name = Any(names_);
    const auto deletion = catalog_->repositories().Delete(kAnonymous, Repo(name));
    if (HasRuledTag(name)) return ExpectDenied(deletion.status());
    const ModelRepository* const repository = model_.Find(name);
    if (repository == nullptr) {
      EXPECT_THAT(deletion, IsOciError(OciErrorCode::kNameUnknown));
      return;
    }
    ASSERT_OK(deletion);
    EXPECT_EQ(deletion->blobs, repository->blobs.size());
    EXPECT_EQ(deletion->manifests, repository->manifests.size());
    EXPECT_EQ(deletion->tags, repository->tags.size());
    model_.Delete(name);
    ++repositories_deleted_;
  }

  // Sometimes one tag of one repository is immutable. A tag that every caller may only create is the same.
  void ChangeRules() {
    if (policy_ != nullptr) {
      policy_ = nullptr;
      return;
    }
    const absl::string_view list =
        absl::Bernoulli(random_, 0.5) ? "immutable_tags: [{" : "create_only_tags: [{subjects: [anyone], ";
    const std::string rules = absl::StrCat(list, "repositories: [", kRuled, "], tags: [", kImmutable, "]}]");
    policy_ = policy::Policy::Parse(rules, "policy.yaml").value();
  }
  bool IsRuled(const std::string& name) const { return policy_ != nullptr && name == kRuled; }
  bool HasRuledTag(const std::string& name) {
    return IsRuled(name) && model_.Find(name) != nullptr && model_.Find(name)->tags.count(kImmutable) > 0;
  }
  bool MovesTag(const std::string& name, const Digest& digest) {
    return HasRuledTag(name) && !(model_.Find(name)->tags.at(kImmutable) == digest);
  }
  void ExpectDenied(const absl::Status& status) {
    EXPECT_THAT(status, IsOciError(OciErrorCode::kDenied));
    ++denied_;
  }

  void Step() {
    switch (absl::Uniform(random_, 0, 50)) {
      case 0:
        return DeleteRepository();
      case 1:
        return ChangeRules();
      default:
        return SmallStep();
    }
  }

  void SmallStep() {
    switch (absl::Uniform(random_, 0, 10)) {
      case 0:
      case 1:
      case 2:
        return Commit();
      case 3:
        return Mount();
      case 4:
        return Unlink();
      case 5:
      case 6:
      case 7:
        return Put();
      case 8:
        return Delete();
      default:
        clock_.Advance(absl::Hours(absl::Uniform(random_, 0, 10)));
    }
  }

  void Compare() {
    std::vector<std::string> repositories;
    for (const auto& [name, repository] : model_.repositories()) repositories.push_back(name);
    EXPECT_EQ(catalog_->lists().Repositories(100, "", {"**"})->repositories, repositories);
    for (const std::string& name : names_) CompareRepository(name);
    EXPECT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(IsEmpty()));
  }

  void CompareRepository(const std::string& name) {
    const ModelRepository* const expected = model_.Find(name);
    if (expected == nullptr) {
      EXPECT_THAT(catalog_->lists().Tags(kAnonymous, Repo(name), 100, ""), IsOciError(OciErrorCode::kNameUnknown));
      return;
    }
    for (const std::string& blob : blobs_) {
      EXPECT_EQ(catalog_->blobs().Find(kAnonymous, Repo(name), DigestOf(blob)).ok(),
                expected->blobs.count(DigestOf(blob)) > 0);
    }
    std::vector<std::string> tags;
    for (const auto& [tag, digest] : expected->tags) {
      tags.push_back(tag);
      EXPECT_EQ(catalog_->manifests().Get(kAnonymous, Repo(name), TagNamed(tag), true)->digest, digest);
    }
    EXPECT_EQ(catalog_->lists().Tags(kAnonymous, Repo(name), 100, "")->tags, tags);
    std::set<Digest> referrers;
    for (const Sample& sample : samples_) {
      const Digest digest = DigestOf(sample.content);
      const bool there = expected->manifests.count(digest) > 0;
      const auto manifest = catalog_->manifests().Get(kAnonymous, Repo(name), digest, false);
      ASSERT_EQ(manifest.ok(), there);
      if (!there) continue;
      EXPECT_EQ(manifest->content, sample.content);
      EXPECT_EQ(manifest->media_type, sample.media_type);
      if (sample.subject.has_value()) referrers.insert(digest);
    }
    std::set<Digest> listed;
    const Digest subject = DigestOf(samples_[0].content);
    const auto page = catalog_->lists().Referrers(kAnonymous, Repo(name), subject, "", 100, "");
    for (const Referrer& referrer : page->referrers) listed.insert(referrer.digest);
    EXPECT_EQ(listed, referrers);
  }

  static constexpr char kRuled[] = "a/b";
  static constexpr char kImmutable[] = "v1.0";
  const std::vector<std::string> names_ = {"a", "a/b", "a-b"};
  const std::vector<std::string> tags_ = {"v1", "v1.0", "latest"};
  std::vector<std::string> blobs_;
  std::vector<Sample> samples_;
  std::mt19937_64 random_{20261124};
  Model model_;
  std::set<Digest> committed_;
  int denied_ = 0;
  int repositories_deleted_ = 0;
  std::shared_ptr<const policy::Policy> policy_;
  FakeClock clock_;
  std::unique_ptr<kv::TestEngine> engine_;
  std::unique_ptr<RegistryCatalog> catalog_;
};

INSTANTIATE_TEST_SUITE_P(Engines, CatalogModelTest, kv::EachTestEngine(), kv::TestEngineName);
INSTANTIATE_TEST_SUITE_P(Postgres, CatalogModelTest, testing::Values(kv::PostgresTestEngineKind()), kv::TestEngineName);

TEST_P(CatalogModelTest, MatchesAPlainModel) {
  for (int round = 0; round < 40 && !HasFailure(); ++round) {
    for (int i = 0; i < 50; ++i) Step();
    if (round % 4 == 3) Reopen();
    Compare();
  }
  // Enough calls were denied, and enough repositories were deleted.
  EXPECT_GT(denied_, 10);
  EXPECT_GT(repositories_deleted_, 10);
}

}  // namespace
}  // namespace entrepot::manifest
