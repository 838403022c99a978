#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using storage::v1::RepositoryRecord;
using testing::ElementsAre;
using testing::IsEmpty;

// Does something before a transaction.
class InterruptedKvEngine : public kv::KvEngine {
 public:
  explicit InterruptedKvEngine(kv::KvEngine* engine) : engine_(*engine) {}

  // Calls `interrupt` before the `n`th transaction from now; 1 is the next one.
  void InterruptAt(int n, std::function<void()> interrupt) {
    before_ = n;
    interrupt_ = std::move(interrupt);
  }

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override { return engine_.Get(key); }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    return engine_.MultiGet(keys);
  }
  absl::StatusOr<std::vector<kv::KeyValue>> Scan(const kv::ScanOptions& options) override {
    return engine_.Scan(options);
  }
  absl::Status Transact(std::vector<kv::Lock> locks, const Function& fn, kv::Durability durability) override {
    if (--before_ == 0) interrupt_();
    return engine_.Transact(std::move(locks), fn, durability);
  }

 private:
  kv::KvEngine& engine_;
  int before_ = 0;
  std::function<void()> interrupt_;
};

// The deletion of repositories.
class RepositoryDeletionTest : public CatalogTest {
 protected:
  // A caller with a token that is issued now.
  Caller WithToken() const { return {.account = "ada", .token_issued_at = clock_.Now()}; }

  std::vector<std::string> Repositories() {
    return catalog_->lists().Repositories(100, "", {"**"}).value().repositories;
  }
  // The first step of a deletion.
  void Hide(const RepositoryName& repository) {
    ASSERT_OK(engine_->get()->Transact({{keys::Repository(repository)}}, [&](kv::KvTransaction& transaction) {
      RepositoryRecord record =
          kv::ReadRecord<RepositoryRecord>(transaction, keys::Repository(repository)).value().value();
      *record.mutable_deleted_at() = ToTimestamp(clock_.Now());
      record.set_deleted(true);
      record.set_emptying(true);
      kv::WriteRecord(transaction, keys::Repository(repository), record);
      return absl::OkStatus();
    }));
  }
  // Leaves the repository as if a process had ended right after the first step of its deletion.
  void HideOnly(const RepositoryName& repository) {
    Hide(repository);
    Reopen();
    clock_.Advance(absl::Seconds(1));
  }
  // The statuses of all kinds of reads of a repository.
  std::vector<absl::Status> Reads(const Caller& caller, const RepositoryName& repository, const std::string& image,
                                  const Digest& blob) {
    return {catalog_->manifests().Get(caller, repository, TagNamed("v1"), false).status(),
            catalog_->manifests().Get(caller, repository, DigestOf(image), true).status(),
            catalog_->blobs().Find(caller, repository, blob).status(),
            catalog_->blobs().LookUp(caller, repository, blob).status(),
            catalog_->lists().Tags(caller, repository, 10, "").status(),
            catalog_->lists().Referrers(caller, repository, DigestOf(image), "", 10, "").status()};
  }
  std::vector<absl::Status> Removals(const Caller& caller, const RepositoryName& repository, const std::string& image,
                                     const Digest& blob) {
    return {catalog_->manifests().Delete(caller, repository, TagNamed("v1")),
            catalog_->manifests().Delete(caller, repository, DigestOf(image)),
            catalog_->blobs().Unlink(caller, repository, blob),
            catalog_->repositories().Delete(caller, repository).status()};
  }
  std::vector<absl::Status> Pushes(const Caller& caller, const RepositoryName& repository) {
    return {catalog_->blobs().Commit(caller, repository, Upload("more")).status(),
            catalog_->blobs().Mount(caller, repository, DigestOf("layer of v1"), b_).status(),
            catalog_->manifests().Put(caller, repository, PutByTag("v9", IndexJson({}), kIndexType)).status()};
  }
  static void ExpectAll(const std::vector<absl::Status>& statuses, OciErrorCode code) {
    for (size_t i = 0; i < statuses.size(); ++i) EXPECT_THAT(statuses[i], IsOciError(code)) << i;
  }

  const Digest layer_ = DigestOf("layer of v1");
};

INSTANTIATE_TEST_SUITE_P(Engines, RepositoryDeletionTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(RepositoryDeletionTest, RemovesAllContent) {
  const std::string image = PushedImage(a_, "v1");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("index", IndexJson({image}), kIndexType)));
  const std::string signature = ImageIn(a_, "signature", SubjectMember(image));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(signature)));
  Pushed(a_, "unneeded");
  PushedImage(Repo("a/b"), "v1");
  PushedImage(Repo("xa"), "v1");

  ASSERT_OK_AND_ASSIGN(const RepositoryDeletion deletion, catalog_->repositories().Delete(kAnonymous, a_));
  EXPECT_EQ(deletion.tags, 2u);
  EXPECT_EQ(deletion.manifests, 3u);
  EXPECT_EQ(deletion.blobs, 5u);
  for (const char* const kind : {"m/a", "t/a", "d/a", "s/a"}) {
    EXPECT_EQ(CountWithPrefix(absl::StrCat(kind, std::string(1, '\0'))), 0u) << kind;
  }
  EXPECT_FALSE(Exists(keys::Link(layer_, a_)));
  EXPECT_FALSE(Exists(keys::Reference(layer_, a_, DigestOf(image))));

  EXPECT_THAT(Repositories(), ElementsAre("a/b", "xa"));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, Repo("a/b"), TagNamed("v1"), false));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, Repo("xa"), layer_));
}

TEST_P(RepositoryDeletionTest, DeletedRepositoryIsUnknown) {
  const std::string image = PushedImage(a_, "v1");
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, a_));
  clock_.Advance(absl::Seconds(1));
  ExpectAll(Reads(WithToken(), a_, image, layer_), OciErrorCode::kNameUnknown);
  ExpectAll(Removals(WithToken(), a_, image, layer_), OciErrorCode::kNameUnknown);
  ExpectAll(Removals(kAnonymous, a_, image, layer_), OciErrorCode::kNameUnknown);
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, ""), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(catalog_->repositories().Delete(kAnonymous, b_), IsOciError(OciErrorCode::kNameUnknown));
}

TEST_P(RepositoryDeletionTest, RefusesOldTokensForever) {
  const std::string image = PushedImage(a_, "v1");
  PushedImage(b_, "v1");
  const Caller before = WithToken();
  clock_.Advance(absl::Seconds(1));
  const Caller at_that_moment = WithToken();
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, a_));
  for (const Caller& old : {before, at_that_moment}) {
    ExpectAll(Reads(old, a_, image, layer_), OciErrorCode::kUnauthorized);
    ExpectAll(Removals(old, a_, image, layer_), OciErrorCode::kUnauthorized);
    ExpectAll(Pushes(old, a_), OciErrorCode::kUnauthorized);
    EXPECT_THAT(catalog_->blobs().Find(old, a_, layer_), StatusIs(absl::StatusCode::kUnauthenticated));
  }
  EXPECT_THAT(Repositories(), ElementsAre("b"));

  clock_.Advance(absl::Microseconds(1));
  for (const absl::Status& status : Pushes(WithToken(), a_)) EXPECT_OK(status);
  EXPECT_THAT(Repositories(), ElementsAre("a", "b"));
  for (const Caller& old : {before, at_that_moment}) {
    ExpectAll(Reads(old, a_, image, layer_), OciErrorCode::kUnauthorized);
    ExpectAll(Pushes(old, a_), OciErrorCode::kUnauthorized);
    // The token is valid in other repositories.
    EXPECT_OK(catalog_->manifests().Get(old, b_, TagNamed("v1"), false));
  }
  EXPECT_OK(catalog_->manifests().Get(WithToken(), a_, TagNamed("v9"), false));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v9"), false));
}

TEST_P(RepositoryDeletionTest, RefusesMountWithOldToken) {
  PushedImage(a_, "v1");
  const Caller old = WithToken();
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, a_));
  clock_.Advance(absl::Seconds(1));
  PushedImage(a_, "v1");
  EXPECT_THAT(catalog_->blobs().Mount(old, b_, layer_, a_), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_OK(catalog_->blobs().Mount(WithToken(), b_, layer_, a_));
}

TEST_P(RepositoryDeletionTest, NewRepositoryOfTheNameIsEmpty) {
  PushedImage(a_, "v1");
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, a_));
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK(catalog_->blobs().Commit(WithToken(), a_, Upload("new")));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, IsEmpty());
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, layer_), IsOciError(OciErrorCode::kBlobUnknown));
  const auto record = kv::ReadRecord<RepositoryRecord>(*engine_->get(), keys::Repository(a_)).value();
  EXPECT_EQ(FromTimestamp(record->created_at()), clock_.Now());
  EXPECT_EQ(FromTimestamp(record->deleted_at()), clock_.Now() - absl::Seconds(1));
  ASSERT_OK_AND_ASSIGN(const RepositoryDeletion deletion, catalog_->repositories().Delete(kAnonymous, a_));
  EXPECT_EQ(deletion.blobs, 1u);
}

TEST_P(RepositoryDeletionTest, HalfDeletedRepositoryIsInvisible) {
  const std::string image = PushedImage(a_, "v1");
  HideOnly(a_);
  EXPECT_THAT(Repositories(), IsEmpty());
  ExpectAll(Reads(WithToken(), a_, image, layer_), OciErrorCode::kNameUnknown);
  ExpectAll(Reads(kAnonymous, a_, image, layer_), OciErrorCode::kNameUnknown);
  EXPECT_THAT(catalog_->manifests().Delete(kAnonymous, a_, TagNamed("v1")), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, b_, layer_, a_), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(RepositoryDeletionTest, SecondCallFinishesInterruptedDeletion) {
  PushedImage(a_, "v1");
  const Caller old = WithToken();
  HideOnly(a_);
  ASSERT_OK_AND_ASSIGN(const RepositoryDeletion deletion, catalog_->repositories().Delete(old, a_));
  EXPECT_EQ(deletion.manifests, 1u);
  EXPECT_EQ(deletion.blobs, 2u);
  EXPECT_THAT(catalog_->repositories().Delete(kAnonymous, a_), IsOciError(OciErrorCode::kNameUnknown));
}

TEST_P(RepositoryDeletionTest, AFrozenDeletionDoesNotEndALaterOne) {
  InterruptedKvEngine frozen(engine_->get());
  RegistryCatalog::Options options;
  options.policy = [this] { return policy_; };
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RegistryCatalog> other,
                       RegistryCatalog::Create(&frozen, &clock_, options));
  PushedImage(a_, "v1");
  // The first step, tags, manifests, links, the last step.
  frozen.InterruptAt(5, [this] {
    ASSERT_OK(catalog_->repositories().Delete(kAnonymous, a_));
    PushedImage(a_, "v2");
    clock_.Advance(absl::Seconds(1));
    Hide(a_);
  });
  ASSERT_OK(other->repositories().Delete(kAnonymous, a_));
  EXPECT_GT(CountWithPrefix("t/"), 0u);
  ASSERT_OK_AND_ASSIGN(const auto record, kv::ReadRecord<RepositoryRecord>(*engine_->get(), keys::Repository(a_)));
  EXPECT_TRUE(record->emptying());
  ASSERT_OK_AND_ASSIGN(const RepositoryDeletion rest, catalog_->repositories().Delete(kAnonymous, a_));
  EXPECT_EQ(rest.tags, 1u);
}

TEST_P(RepositoryDeletionTest, PushFinishesInterruptedDeletion) {
  PushedImage(a_, "v1");
  const Caller old = WithToken();
  HideOnly(a_);
  EXPECT_THAT(catalog_->blobs().Commit(old, a_, Upload("new")), IsOciError(OciErrorCode::kUnauthorized));
  ASSERT_OK(catalog_->blobs().Commit(WithToken(), a_, Upload("new")));
  EXPECT_THAT(Repositories(), ElementsAre("a"));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, IsEmpty());
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, layer_), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(RepositoryDeletionTest, DeletesLargeRepositoryInManySteps) {
  const Blob config = Pushed(a_, "config");
  for (int i = 0; i < 700; ++i) {
    const std::string image = ImageJson(config, {}, absl::StrCat(",\"n\":", i));
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag(absl::StrCat("v", i), image)));
  }
  for (int i = 0; i < 600; ++i) Pushed(a_, absl::StrCat("blob ", i));
  Pushed(b_, "config");
  ASSERT_OK_AND_ASSIGN(const RepositoryDeletion deletion, catalog_->repositories().Delete(kAnonymous, a_));
  EXPECT_EQ(deletion.tags, 700u);
  EXPECT_EQ(deletion.manifests, 700u);
  EXPECT_EQ(deletion.blobs, 601u);
  EXPECT_EQ(CountWithPrefix("m/"), 0u);
  EXPECT_EQ(CountWithPrefix("l/"), 1u);
}

TEST_P(RepositoryDeletionTest, ListsByPatterns) {
  for (const char* const name : {"a", "a-b", "a/b", "a/b/c", "b", "c/d", "c/e", "c/f"}) Pushed(Repo(name), "x");
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, Repo("c/e")));
  const auto list = [&](size_t limit, absl::string_view last, const std::vector<std::string>& patterns) {
    return catalog_->lists().Repositories(limit, last, patterns).value();
  };
  EXPECT_THAT(list(10, "", {}).repositories, IsEmpty());
  EXPECT_THAT(list(10, "", {"a/**"}).repositories, ElementsAre("a/b", "a/b/c"));
  EXPECT_THAT(list(10, "", {"c/*", "a", "a/b"}).repositories, ElementsAre("a", "a/b", "c/d", "c/f"));
  EXPECT_THAT(list(10, "", {"*/*"}).repositories, ElementsAre("a/b", "c/d", "c/f"));
  EXPECT_THAT(list(10, "", {"none", "a/none/**"}).repositories, IsEmpty());
  EXPECT_THAT(catalog_->lists().Repositories(10, "", {"A"}), StatusIs(absl::StatusCode::kInvalidArgument));

  // `more` is correct for each page up to the last one.
  const std::vector<std::string> patterns = {"c/**", "a", "a/**"};
  std::vector<std::string> all;
  std::string last;
  for (bool more = true; more;) {
    const RepositoryPage page = list(1, last, patterns);
    ASSERT_EQ(page.repositories.size(), 1u);
    last = page.repositories.back();
    all.push_back(last);
    more = page.more;
  }
  EXPECT_THAT(all, ElementsAre("a", "a/b", "a/b/c", "c/d", "c/f"));
  EXPECT_THAT(list(10, "a/b", patterns).repositories, ElementsAre("a/b/c", "c/d", "c/f"));
  EXPECT_THAT(list(10, "b", patterns).repositories, ElementsAre("c/d", "c/f"));
  EXPECT_THAT(list(10, "c/d", patterns).repositories, ElementsAre("c/f"));
  EXPECT_THAT(list(10, "zzz", patterns).repositories, IsEmpty());
}

}  // namespace
}  // namespace entrepot::manifest
