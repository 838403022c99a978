#include "services/blob/sessions/kv_upload_sessions.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/objects/memory_object_store.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/blob/objects/tiered_object_store.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/fault_injecting_kv_engine.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Digest Sha256(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }
Digest Sha512(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha512, bytes); }

AppendOptions At(uint64_t offset_bytes) {
  AppendOptions options;
  options.offset_bytes = offset_bytes;
  return options;
}

AppendOptions HashedWith(DigestAlgorithm algorithm) {
  AppendOptions options;
  options.algorithm = algorithm;
  return options;
}

// A disk that may refuse to delete.
class FragileStore : public MemoryObjectStore {
 public:
  absl::Status DiscardStaged(const UploadId& id, absl::string_view state) override {
    return broken ? absl::UnavailableError("I/O error") : MemoryObjectStore::DiscardStaged(id, state);
  }
  bool broken = false;
};

class KvUploadSessionsTest : public testing::Test {
 protected:
  KvUploadSessionsTest() { Restart(); }

  // Starts the sessions again from the KV and the store, as after a kill of the process.
  void Restart() {
    sessions_.reset();
    sessions_ = std::make_unique<KvUploadSessions>(KvUploadSessions::Options{.limits = {.open_max = 4, .share_max = 3}},
                                                   &kv_, &store_, &objects_, &clock_, &metrics_);
    EXPECT_OK(sessions_->Recover());
  }

  UploadId Start(DigestAlgorithm algorithm = DigestAlgorithm::kSha256) {
    absl::StatusOr<Upload> upload = sessions_->Start(owner_, algorithm);
    EXPECT_OK(upload);
    EXPECT_EQ(upload->offset_bytes, 0);
    return upload->id;
  }

  absl::StatusOr<uint64_t> Append(const UploadId& id, absl::string_view bytes, const AppendOptions& options = {}) {
    absl::StatusOr<std::unique_ptr<UploadAppender>> appender = sessions_->Append(owner_, id, options);
    if (!appender.ok()) return appender.status();
    if (absl::Status status = (*appender)->Append(bytes); !status.ok()) return status;
    absl::StatusOr<Upload> upload = (*appender)->Finish();
    if (!upload.ok()) return upload.status();
    EXPECT_EQ(upload->id, id);
    return upload->offset_bytes;
  }

  static AppendOptions Last(std::optional<uint64_t> offset_bytes = std::nullopt) {
    return {.offset_bytes = offset_bytes, .last = true};
  }
  size_t Records() { return kv_.Scan({.prefix = "u/", .start_after = "", .limit = 10})->size(); }

  absl::StatusOr<uint64_t> OffsetOf(const UploadId& id) {
    absl::StatusOr<Upload> upload = sessions_->Get(owner_, id);
    if (!upload.ok()) return upload.status();
    return upload->offset_bytes;
  }

  absl::StatusOr<std::string> Read(const StorageKey& key) {
    absl::StatusOr<OpenObject> object = objects_.Open(key);
    if (!object.ok()) return object.status();
    return Contents(*object);
  }

  // An upload whose seal published the object, after which the process was killed before it recorded that.
  UploadId PublishedByAKilledSeal() {
    UploadId id = Start();
    EXPECT_OK(Append(id, large_));
    sessions_.reset();
    absl::StatusOr<std::unique_ptr<StagedUpload>> staged = store_.OpenStaged(id, large_.size(), "");
    EXPECT_OK(store_.Publish(id, std::move(staged).value()));
    Restart();
    return id;
  }

  void ExpectSealsAs(const UploadId& id, const Digest& digest, const std::string& bytes, StorageTier tier) {
    ASSERT_OK_AND_ASSIGN(const Blob sealed, sessions_->Seal(owner_, id, digest));
    EXPECT_EQ(sealed.digest, digest);
    EXPECT_EQ(sealed.size_bytes, bytes.size());
    EXPECT_EQ(sealed.storage_key.tier(), tier);
    EXPECT_THAT(Read(sealed.storage_key), IsOkAndHolds(bytes));
  }

  const UploadOwner owner_ = {.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  const std::vector<UploadOwner> others_ = {{.repository = *RepositoryName::Parse("team/other"), .account = "ada"},
                                            {.repository = owner_.repository, .account = "grace"},
                                            {.repository = owner_.repository, .account = ""}};
  const std::string small_ = std::string(40'000, 's');
  const std::string large_ = std::string(100'000, 'l');

  FakeClock clock_;
  kv::MemoryKvEngine memory_;
  kv::FaultInjectingKvEngine kv_{&memory_};
  FragileStore store_;
  prometheus::Registry registry_;
  BlobMetrics metrics_{registry_};
  WriteGate gate_{metrics_.store_read_only()};
  KvObjectStore values_{&kv_, kv::Durability::kSynced, &metrics_};
  TieredObjectStore objects_{&store_, &values_, &gate_};
  std::unique_ptr<KvUploadSessions> sessions_;
};

TEST_F(KvUploadSessionsTest, SmallUploadsBecomeValues) {
  const UploadId id = Start();
  EXPECT_THAT(Append(id, "goods"), IsOkAndHolds(5));
  EXPECT_THAT(OffsetOf(id), IsOkAndHolds(5));
  ExpectSealsAs(id, Sha256("goods"), "goods", StorageTier::kKv);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, LargeUploadsBecomeFiles) {
  const UploadId id = Start();
  EXPECT_THAT(Append(id, large_), IsOkAndHolds(large_.size()));
  ExpectSealsAs(id, Sha256(large_), large_, StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, TheLimitBetweenTheTiersIsExact) {
  const std::string fits(KvObjectStore::kObjectBytesMax, 'f');
  const UploadId value = Start();
  EXPECT_THAT(Append(value, fits), IsOkAndHolds(fits.size()));
  ExpectSealsAs(value, Sha256(fits), fits, StorageTier::kKv);

  const UploadId file = Start();
  EXPECT_THAT(Append(file, fits), IsOkAndHolds(fits.size()));
  EXPECT_THAT(Append(file, "+"), IsOkAndHolds(fits.size() + 1));
  ExpectSealsAs(file, Sha256(fits + "+"), fits + "+", StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, AnEmptyUploadIsABlob) {
  const UploadId id = Start();
  ExpectSealsAs(id, Sha256(""), "", StorageTier::kKv);
}

TEST_F(KvUploadSessionsTest, ContinuesWhereTheLastRequestEnded) {
  const UploadId id = Start();
  EXPECT_THAT(Append(id, small_), IsOkAndHolds(40'000));
  EXPECT_THAT(Append(id, small_, At(40'000)), IsOkAndHolds(80'000));
  EXPECT_THAT(Append(id, large_, At(80'000)), IsOkAndHolds(180'000));
  ExpectSealsAs(id, Sha256(small_ + small_ + large_), small_ + small_ + large_, StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, ContinuesInAnotherProcess) {
  const UploadId small = Start();
  const UploadId large = Start();
  EXPECT_OK(Append(small, small_));
  EXPECT_OK(Append(large, large_));
  Restart();
  EXPECT_THAT(OffsetOf(small), IsOkAndHolds(small_.size()));
  EXPECT_THAT(OffsetOf(large), IsOkAndHolds(large_.size()));
  Restart();
  EXPECT_THAT(Append(large, small_), IsOkAndHolds(140'000));
  EXPECT_OK(Append(small, small_));
  Restart();
  ExpectSealsAs(small, Sha256(small_ + small_), small_ + small_, StorageTier::kFile);
  ExpectSealsAs(large, Sha256(large_ + small_), large_ + small_, StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, RefusesAnOffsetOtherThanTheEnd) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, "0123"));
  EXPECT_THAT(Append(id, "x", At(0)), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(Append(id, "x", At(5)), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(Append(id, "x", At(4)), IsOkAndHolds(5));
}

TEST_F(KvUploadSessionsTest, RefusesASecondAppendToASession) {
  const UploadId id = Start();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, id, {}));
  EXPECT_THAT(sessions_->Append(owner_, id, {}), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256("")), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(sessions_->Cancel(owner_, id), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(OffsetOf(id), IsOkAndHolds(0));
  appender.reset();
  EXPECT_OK(sessions_->Append(owner_, id, {}));
}

TEST_F(KvUploadSessionsTest, ADestroyedAppenderSavesItsBytes) {
  const UploadId small = Start();
  const UploadId large = Start();
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, small, {}));
    ASSERT_OK(appender->Append("goods"));
    ASSERT_OK_AND_ASSIGN(appender, sessions_->Append(owner_, large, {}));
    ASSERT_OK(appender->Append(large_));
  }
  Restart();
  EXPECT_THAT(OffsetOf(small), IsOkAndHolds(5));
  EXPECT_THAT(OffsetOf(large), IsOkAndHolds(large_.size()));
}

TEST_F(KvUploadSessionsTest, SavesDuringALongAppend) {
  const UploadId id = Start();
  const std::string piece(1 << 20, 'p');
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, id, {}));
  for (int i = 0; i < 40; ++i) ASSERT_OK(appender->Append(piece));
  // As if killed: the appender is not destroyed.
  const std::unique_ptr<KvUploadSessions> killed = std::move(sessions_);
  const std::unique_ptr<UploadAppender> killed_too = std::move(appender);
  Restart();
  EXPECT_THAT(OffsetOf(id), IsOkAndHolds(32 << 20));
  EXPECT_THAT(Append(id, "end"), IsOkAndHolds((32 << 20) + 3));
  std::string expected;
  for (int i = 0; i < 32; ++i) expected += piece;
  expected += "end";
  ASSERT_OK_AND_ASSIGN(const Blob sealed, sessions_->Seal(owner_, id, Sha256(expected)));
  EXPECT_EQ(sealed.size_bytes, expected.size());
}

TEST_F(KvUploadSessionsTest, FinishesAndSealsInOneCall) {
  for (const std::string& bytes : {std::string(), small_, large_}) {
    const UploadId id = Start();
    {
      ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, id, {}));
      ASSERT_OK(appender->Append(bytes));
      ASSERT_OK_AND_ASSIGN(const Blob sealed, appender->FinishAndSeal(Sha256(bytes)));
      EXPECT_EQ(sealed.size_bytes, bytes.size());
      EXPECT_THAT(Read(sealed.storage_key), IsOkAndHolds(bytes));
    }
    ExpectSealsAs(id, Sha256(bytes), bytes, bytes == large_ ? StorageTier::kFile : StorageTier::kKv);
    EXPECT_EQ(metrics_.upload_sessions()->Value(), 0);
  }
}

TEST_F(KvUploadSessionsTest, FinishingAndSealingWithAnotherDigestEndsTheSession) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start();
    {
      ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, id, {}));
      ASSERT_OK(appender->Append(bytes));
      EXPECT_THAT(appender->FinishAndSeal(Sha256("other")), IsOciError(OciErrorCode::kDigestInvalid));
    }
    EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(kv_.Scan({.prefix = "", .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, FinishesAndSealsWithAnotherAlgorithm) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, id, {}));
    ASSERT_OK(appender->Append(bytes));
    ASSERT_OK_AND_ASSIGN(const Blob sealed, appender->FinishAndSeal(Sha512(bytes)));
    EXPECT_EQ(sealed.digest, Sha512(bytes));
    EXPECT_THAT(Read(sealed.storage_key), IsOkAndHolds(bytes));
  }
}

TEST_F(KvUploadSessionsTest, ADeletedObjectIsNotSealedAgain) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start();
    EXPECT_OK(Append(id, bytes));
    ASSERT_OK_AND_ASSIGN(const Blob sealed, sessions_->Seal(owner_, id, Sha256(bytes)));
    EXPECT_OK(objects_.Delete(sealed.storage_key));
    EXPECT_THAT(sessions_->Seal(owner_, id, Sha256(bytes)), StatusIs(absl::StatusCode::kAlreadyExists));
  }
  EXPECT_THAT(kv_.Scan({.prefix = "", .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, SealsAgainWithTheSameDigestUntilItIsForgotten) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, "goods"));
  ExpectSealsAs(id, Sha256("goods"), "goods", StorageTier::kKv);
  ExpectSealsAs(id, Sha256("goods"), "goods", StorageTier::kKv);
  Restart();
  ExpectSealsAs(id, Sha256("goods"), "goods", StorageTier::kKv);
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256("other")), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_OK(sessions_->Forget(owner_, id));
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256("goods")), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256("other")), IsOciError(OciErrorCode::kBlobUploadUnknown));
  for (const UploadOwner& other : others_) {
    EXPECT_THAT(sessions_->Seal(other, id, Sha256("goods")), IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
}

TEST_F(KvUploadSessionsTest, ARepeatedSealWithAWrongDigestGivesTheSameError) {
  const UploadId id = Start();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(sessions_->Seal(owner_, id, Sha256("other")), IsOciError(OciErrorCode::kDigestInvalid));
  }
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256("")), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(KvUploadSessionsTest, ASealedSessionAcceptsNothingElse) {
  const UploadId id = Start();
  ExpectSealsAs(id, Sha256(""), "", StorageTier::kKv);
  EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(Append(id, "x"), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(sessions_->Cancel(owner_, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(KvUploadSessionsTest, AForgottenSessionKeepsItsObject) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, "goods"));
  ASSERT_OK_AND_ASSIGN(const Blob sealed, sessions_->Seal(owner_, id, Sha256("goods")));
  EXPECT_OK(sessions_->Forget(owner_, id));
  EXPECT_OK(sessions_->Forget(owner_, id));
  Restart();
  EXPECT_THAT(Read(sealed.storage_key), IsOkAndHolds("goods"));
  EXPECT_THAT(kv_.Scan({.prefix = "u/", .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, ForgettingAnOpenSessionDoesNothing) {
  const UploadId id = Start();
  EXPECT_OK(sessions_->Forget(owner_, id));
  EXPECT_THAT(OffsetOf(id), IsOkAndHolds(0));
}

TEST_F(KvUploadSessionsTest, AWrongDigestEndsTheSession) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start();
    EXPECT_OK(Append(id, bytes));
    absl::StatusOr<Blob> sealed = sessions_->Seal(owner_, id, Sha256("other"));
    EXPECT_THAT(sealed, IsOciError(OciErrorCode::kDigestInvalid));
    EXPECT_THAT(sealed.status().message(), HasSubstr(Sha256(bytes).ToString()));
    EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  }
  EXPECT_THAT(kv_.Scan({.prefix = "", .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, SealsWithTheAnnouncedAlgorithm) {
  const UploadId at_start = Start(DigestAlgorithm::kSha512);
  EXPECT_OK(Append(at_start, large_));
  ExpectSealsAs(at_start, Sha512(large_), large_, StorageTier::kFile);

  const UploadId at_append = Start();
  EXPECT_OK(Append(at_append, large_, HashedWith(DigestAlgorithm::kSha512)));
  EXPECT_OK(Append(at_append, small_, HashedWith(DigestAlgorithm::kSha256)));
  ExpectSealsAs(at_append, Sha512(large_ + small_), large_ + small_, StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, SealsWithAnotherAlgorithm) {
  for (const std::string& bytes : {small_, large_}) {
    const UploadId id = Start(DigestAlgorithm::kSha256);
    EXPECT_OK(Append(id, bytes));
    ExpectSealsAs(id, Sha512(bytes), bytes, bytes == small_ ? StorageTier::kKv : StorageTier::kFile);
  }
}

TEST_F(KvUploadSessionsTest, BelongsToItsRepositoryAndAccount) {
  const UploadId id = Start();
  for (const UploadOwner& other : others_) {
    EXPECT_THAT(sessions_->Get(other, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_THAT(sessions_->Append(other, id, {}), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_THAT(sessions_->Seal(other, id, Sha256("")), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_THAT(sessions_->Cancel(other, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
  ExpectSealsAs(id, Sha256(""), "", StorageTier::kKv);
  for (const UploadOwner& other : others_) EXPECT_OK(sessions_->Forget(other, id));
  ExpectSealsAs(id, Sha256(""), "", StorageTier::kKv);
}

TEST_F(KvUploadSessionsTest, CancellingDeletesTheBytes) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  EXPECT_OK(sessions_->Cancel(owner_, id));
  // As a client does that did not get the answer.
  EXPECT_OK(sessions_->Cancel(owner_, id));
  for (const UploadOwner& other : others_) {
    EXPECT_THAT(sessions_->Cancel(other, id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
  EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(kv_.Scan({.prefix = "", .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, OpenSessionsAreBoundedAlsoAfterARestart) {
  const UploadId first = Start();
  Start();
  Start();
  EXPECT_THAT(sessions_->Start(owner_, DigestAlgorithm::kSha256), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_EQ(metrics_.upload_sessions()->Value(), 3);
  ExpectSealsAs(first, Sha256(""), "", StorageTier::kKv);
  Start();
  Restart();
  EXPECT_EQ(metrics_.upload_sessions()->Value(), 3);
  EXPECT_THAT(sessions_->Start(owner_, DigestAlgorithm::kSha256), IsOciError(OciErrorCode::kTooManyRequests));
  // Another account is not affected.
  EXPECT_OK(sessions_->Start(others_[1], DigestAlgorithm::kSha256));
  EXPECT_THAT(sessions_->Start(others_[1], DigestAlgorithm::kSha256), IsOciError(OciErrorCode::kTooManyRequests));
}

TEST_F(KvUploadSessionsTest, CallersWithoutAnAccountAreBoundedByTheirAddressAlsoAfterARestart) {
  const UploadOwner client{.repository = owner_.repository, .account = "", .client_address = "192.0.2.1"};
  for (int i = 0; i < 3; ++i) EXPECT_OK(sessions_->Start(client, DigestAlgorithm::kSha256));
  Restart();
  EXPECT_THAT(sessions_->Start(client, DigestAlgorithm::kSha256), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_OK(sessions_->Start({client.repository, "", "192.0.2.2"}, DigestAlgorithm::kSha256));
}

TEST_F(KvUploadSessionsTest, AnEvictedSessionIsDeleted) {
  const UploadId idle = Start();
  EXPECT_OK(Append(Start(), "x"));
  EXPECT_OK(Append(Start(), "y"));
  clock_.Advance(SessionTable::kEvictableAfter);
  Restart();
  Start();
  EXPECT_THAT(OffsetOf(idle), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(Records(), 3u);
}

TEST_F(KvUploadSessionsTest, ASessionThatCannotBeDeletedIsDeletedLater) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  clock_.Advance(absl::Hours(24));
  kv_.InjectAt(1, kv::Fault::kFailCommit);
  EXPECT_EQ(sessions_->EndExpired(), 0);
  EXPECT_EQ(metrics_.uploads_undeleted()->Value(), 1);
  EXPECT_EQ(metrics_.upload_sessions()->Value(), 0);
  EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  // Its record is gone after this, its bytes are not.
  store_.broken = true;
  EXPECT_EQ(sessions_->EndExpired(), 0);
  EXPECT_EQ(Records(), 0u);
  store_.broken = false;
  EXPECT_EQ(sessions_->EndExpired(), 1);
  EXPECT_EQ(metrics_.uploads_undeleted()->Value(), 0);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, ACancellationThatFailedIsCompletedLater) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  kv_.InjectAt(1, kv::Fault::kFailCommit);
  EXPECT_THAT(sessions_->Cancel(owner_, id), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(Append(id, "x"), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(sessions_->EndExpired(), 1);
  EXPECT_EQ(Records(), 0u);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, ARepeatedCancellationCompletesOneThatFailed) {
  const UploadId id = Start();
  kv_.InjectAt(1, kv::Fault::kFailCommit);
  EXPECT_THAT(sessions_->Cancel(owner_, id), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(sessions_->Cancel(owner_, id));
  EXPECT_EQ(Records(), 0u);
}

TEST_F(KvUploadSessionsTest, AWrongDigestEndsASessionThatCannotBeDeleted) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  kv_.InjectAt(1, kv::Fault::kFailCommit);
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256("other")), IsOciError(OciErrorCode::kDigestInvalid));
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256(large_)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(sessions_->EndExpired(), 1);
  EXPECT_EQ(Records(), 0u);
}

TEST_F(KvUploadSessionsTest, ForgottenRecordsThatCannotBeDeletedAreDeletedLater) {
  const UploadId id = Start();
  ExpectSealsAs(id, Sha256(""), "", StorageTier::kKv);
  EXPECT_OK(sessions_->Forget(owner_, id));
  kv_.InjectAt(1, kv::Fault::kFailCommit);
  EXPECT_THAT(sessions_->FlushForgotten(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Records(), 1u);
  EXPECT_OK(sessions_->FlushForgotten());
  EXPECT_EQ(Records(), 0u);
}

TEST_F(KvUploadSessionsTest, StagedBytesWithoutASessionThatCannotBeDeletedDoNotPreventTheStart) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  sessions_.reset();
  ASSERT_OK(store_.OpenStaged(UploadId::Random(), 0, ""));
  store_.broken = true;
  Restart();
  EXPECT_THAT(OffsetOf(id), IsOkAndHolds(large_.size()));
  EXPECT_EQ(sessions_->EndExpired(), 0);
  store_.broken = false;
  EXPECT_EQ(sessions_->EndExpired(), 1);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(testing::ElementsAre(id)));
}

TEST_F(KvUploadSessionsTest, ARecordThatCannotBeReadDoesNotPreventTheStart) {
  const UploadId damaged = Start();
  const UploadId whole = Start();
  ASSERT_OK(Append(damaged, small_));
  ASSERT_OK(Append(whole, small_));
  kv::KvEngine& engine = memory_;
  ASSERT_OK(engine.Transact({}, [&](kv::KvTransaction& transaction) {
    transaction.Put("u/" + damaged.ToString(), "\xff not a record");
    transaction.Put("u/not an id", "");
    return absl::OkStatus();
  }));
  Restart();
  EXPECT_THAT(OffsetOf(whole), IsOkAndHolds(small_.size()));
  EXPECT_FALSE(OffsetOf(damaged).ok());
  ExpectSealsAs(whole, ComputeDigest(DigestAlgorithm::kSha256, small_), small_, StorageTier::kKv);
  EXPECT_OK(sessions_->ListAbandoned(10));
}

TEST_F(KvUploadSessionsTest, RepeatedLastBytesReplaceThoseOfTheWholeBlob) {
  for (const std::string& bytes : {small_, large_}) {
    for (const bool restarted : {false, true}) {
      const UploadId id = Start();
      EXPECT_THAT(Append(id, bytes.substr(0, bytes.size() - 7), Last()), IsOkAndHolds(bytes.size() - 7));
      EXPECT_TRUE(sessions_->Get(owner_, id)->whole);
      if (restarted) Restart();
      EXPECT_THAT(Append(id, bytes, restarted ? Last() : Last(0)), IsOkAndHolds(bytes.size()));
      ExpectSealsAs(id, Sha256(bytes), bytes, bytes == small_ ? StorageTier::kKv : StorageTier::kFile);
    }
  }
}

TEST_F(KvUploadSessionsTest, RepeatedLastBytesDoNotReplaceAnObjectThatAKilledSealPublished) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_, Last()));
  sessions_.reset();
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id, large_.size(), ""));
    ASSERT_OK(store_.Publish(id, std::move(staged)));
  }
  Restart();
  EXPECT_THAT(Append(id, std::string(100'000, 'x'), Last()), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ExpectSealsAs(id, Sha256(large_), large_, StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, LastBytesContinueAfterOthers) {
  const UploadId id = Start();
  EXPECT_THAT(Append(id, "chunk"), IsOkAndHolds(5));
  EXPECT_THAT(Append(id, " en", Last()), IsOkAndHolds(8));
  EXPECT_FALSE(sessions_->Get(owner_, id)->whole);
  EXPECT_THAT(Append(id, "d", Last(8)), IsOkAndHolds(9));
  ExpectSealsAs(id, Sha256("chunk end"), "chunk end", StorageTier::kKv);
}

TEST_F(KvUploadSessionsTest, AnInterruptedWholeBlobMayBeContinued) {
  const UploadId id = Start();
  EXPECT_THAT(Append(id, "begin", Last()), IsOkAndHolds(5));
  EXPECT_THAT(Append(id, " en", At(5)), IsOkAndHolds(8));
  EXPECT_THAT(Append(id, "d", Last()), IsOkAndHolds(9));
  ExpectSealsAs(id, Sha256("begin end"), "begin end", StorageTier::kKv);
}

TEST_F(KvUploadSessionsTest, AnAdministratorCancelsOpenSessions) {
  const UploadId mine = Start();
  EXPECT_OK(Append(mine, large_));
  ASSERT_OK_AND_ASSIGN(const Upload other, sessions_->Start(others_[1], DigestAlgorithm::kSha256));
  EXPECT_EQ(sessions_->Totals().bytes, large_.size());
  EXPECT_EQ(sessions_->CancelOpen({.account = "ada"}).cancelled, 1u);
  EXPECT_THAT(OffsetOf(mine), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_OK(sessions_->Get(others_[1], other.id));
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(sessions_->Totals().bytes, 0u);
}

TEST_F(KvUploadSessionsTest, AnUploadThatIsCancelledDuringAnAppendEndsWithIt) {
  const UploadId id = Start();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, id, {}));
  EXPECT_EQ(sessions_->CancelOpen({.id = id.ToString()}).in_use, 1u);
  ASSERT_OK(appender->Append(large_));
  EXPECT_OK(appender->Finish());
  appender.reset();
  EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(sessions_->EndExpired(), 1);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, SessionsExpireUnlessTheyAreTouched) {
  const UploadId touched = Start();
  const UploadId idle = Start();
  EXPECT_OK(Append(idle, large_));
  clock_.Advance(absl::Hours(23));
  EXPECT_OK(Append(touched, "goods"));
  EXPECT_EQ(sessions_->OldestAge(), absl::Hours(23));
  EXPECT_EQ(sessions_->EndExpired(), 0);
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(OffsetOf(idle), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(sessions_->EndExpired(), 1);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(OffsetOf(touched), IsOkAndHolds(5));
  EXPECT_THAT(kv_.Scan({.prefix = "u/", .start_after = "", .limit = 10}), IsOkAndHolds(SizeIs(1)));
}

TEST_F(KvUploadSessionsTest, ExpiredSessionsOfAnEarlierRunEnd) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  clock_.Advance(absl::Hours(25));
  Restart();
  EXPECT_THAT(OffsetOf(id), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(sessions_->EndExpired(), 1);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, ASessionInUseDoesNotExpire) {
  const UploadId id = Start();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender, sessions_->Append(owner_, id, {}));
  clock_.Advance(absl::Hours(48));
  EXPECT_EQ(sessions_->EndExpired(), 0);
  EXPECT_OK(appender->Append("goods"));
  EXPECT_OK(appender->Finish());
}

TEST_F(KvUploadSessionsTest, ExpiryKeepsSealedObjects) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  ASSERT_OK_AND_ASSIGN(const Blob sealed, sessions_->Seal(owner_, id, Sha256(large_)));
  clock_.Advance(absl::Hours(25));
  EXPECT_EQ(sessions_->EndExpired(), 0);
  EXPECT_THAT(Read(sealed.storage_key), IsOkAndHolds(large_));
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256(large_)), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(kv_.Scan({.prefix = "u/", .start_after = "", .limit = 10}), IsOkAndHolds(SizeIs(1)));
  // The manifest service has committed the object after all.
  EXPECT_OK(sessions_->Forget(owner_, id));
  EXPECT_OK(sessions_->FlushForgotten());
  EXPECT_THAT(kv_.Scan({.prefix = "u/", .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, BytesLostInAPowerCutEndTheSession) {
  const UploadId shorter = Start();
  EXPECT_OK(Append(shorter, large_));
  const UploadId changed = Start();
  EXPECT_OK(Append(changed, large_));
  sessions_.reset();
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(shorter, 50'000, ""));
    ASSERT_OK_AND_ASSIGN(staged, store_.OpenStaged(changed, 50'000, ""));
    ASSERT_OK(staged->Append(std::string(50'000, '\0')));
  }
  Restart();
  EXPECT_THAT(OffsetOf(shorter), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(Append(changed, "x"), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(kv_.Scan({.prefix = "", .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
}

TEST_F(KvUploadSessionsTest, LostBytesAreNeverSealed) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  sessions_.reset();
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id, 99'999, ""));
    ASSERT_OK(staged->Append("?"));
  }
  Restart();
  EXPECT_THAT(sessions_->Seal(owner_, id, Sha256(large_)), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(KvUploadSessionsTest, DropsBytesBehindTheRecordedOffset) {
  const UploadId id = Start();
  EXPECT_OK(Append(id, large_));
  sessions_.reset();
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id, large_.size(), ""));
    ASSERT_OK(staged->Append("written, but not recorded"));
  }
  Restart();
  EXPECT_THAT(Append(id, "end"), IsOkAndHolds(large_.size() + 3));
  ExpectSealsAs(id, Sha256(large_ + "end"), large_ + "end", StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, SealsAnUploadThatAKilledSealPublished) {
  const UploadId id = PublishedByAKilledSeal();
  ExpectSealsAs(id, Sha256(large_), large_, StorageTier::kFile);
}

TEST_F(KvUploadSessionsTest, AnEndedSessionKeepsAnObjectThatAKilledSealPublished) {
  const UploadId id = PublishedByAKilledSeal();
  // The seal may have been answered and committed before a power cut undid the session's record.
  EXPECT_OK(sessions_->Cancel(owner_, id));
  EXPECT_THAT(Read(StagingObjectStore::KeyOf(id)), IsOkAndHolds(large_));
}

TEST_F(KvUploadSessionsTest, DeletesStagedBytesWithoutASessionAtStart) {
  const UploadId kept = Start();
  EXPECT_OK(Append(kept, large_));
  sessions_.reset();
  ASSERT_OK(store_.OpenStaged(UploadId::Random(), 0, ""));
  Restart();
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(testing::ElementsAre(kept)));
}

}  // namespace
}  // namespace entrepot::blob
