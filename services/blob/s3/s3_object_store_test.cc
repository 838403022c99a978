#include "services/blob/s3/s3_object_store.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/blob/s3/s3_object_reader.h"
#include "services/blob/s3/testing/fake_s3.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Lie = FakeS3::Lie;

constexpr uint64_t kPartBytes = 1 << 20;

class FixedCredentials : public CredentialsSource {
 public:
  absl::StatusOr<Credentials> Get() override {
    return Credentials{.access_key_id = "key", .secret_access_key = "secret", .session_token = ""};
  }
  void Forget(const Credentials&) override {}
};

// Outlives servers, which are shared.
FakeClock& TestClock() {
  static FakeClock& clock = *new FakeClock();
  return clock;
}

// A store over a fake server; several of them may share one.
struct StoreOnFake {
  explicit StoreOnFake(FakeS3::Options server_options = {}, std::shared_ptr<FakeS3> shared_server = nullptr)
      : server(shared_server != nullptr ? std::move(shared_server)
                                        : std::make_shared<FakeS3>(std::move(server_options), &TestClock())) {}

  std::shared_ptr<FakeS3> server;
  FixedCredentials credentials;
  prometheus::Registry registry;
  BlobMetrics metrics{registry};
  S3Metrics s3_metrics{registry};
  S3Client client{{.target = {.endpoint = "http://s3.test", .bucket = "bucket"}, .wait = [](absl::Duration) {}},
                  server.get(),
                  &credentials,
                  &TestClock(),
                  &s3_metrics};
  S3Bucket bucket{&client, {}};
  S3ObjectStore store{{.prefix = "r/", .part_bytes = kPartBytes, .upload_memory_bytes_max = 64 << 20},
                      &bucket,
                      &TestClock(),
                      &metrics,
                      &s3_metrics};
};

ObjectStoreMaker On(FakeS3::Options options, FakeS3::Rule rule = nullptr) {
  return [options, rule] {
    auto fake = std::make_shared<StoreOnFake>(options);
    fake->server->SetRule(rule);
    return std::shared_ptr<StagingObjectStore>(fake, &fake->store);
  };
}

// Each third request fails, but not when it is repeated.
FakeS3::Rule EveryThird(Lie lie) {
  struct Seen {
    int requests = 0;
    std::set<std::string> failed;
  };
  return [lie, seen = std::make_shared<Seen>()](const FakeS3::Request& request) {
    const std::string id = request.method + request.key;
    if (seen->failed.erase(id) > 0 || ++seen->requests % 3 != 0) return Lie::kNone;
    seen->failed.insert(id);
    return lie;
  };
}

INSTANTIATE_TEST_SUITE_P(FakeS3, ObjectStoreConformance, testing::Values(On({.part_bytes_min = kPartBytes})));
INSTANTIATE_TEST_SUITE_P(FakeS3WithoutConditions, ObjectStoreConformance,
                         testing::Values(On({.knows_conditions = false})));
INSTANTIATE_TEST_SUITE_P(FakeS3ThatRefusesConditions, ObjectStoreConformance,
                         testing::Values(On({.refuses_conditions = true})));
INSTANTIATE_TEST_SUITE_P(FakeS3WithAnotherClock, ObjectStoreConformance,
                         testing::Values(On({.clock_ahead = absl::Hours(3)})));
INSTANTIATE_TEST_SUITE_P(FakeS3ThatLosesRequests, ObjectStoreConformance,
                         testing::Values(On({}, EveryThird(Lie::kLost))));
INSTANTIATE_TEST_SUITE_P(FakeS3ThatLosesAnswers, ObjectStoreConformance,
                         testing::Values(On({}, EveryThird(Lie::kAnswerLost))));
INSTANTIATE_TEST_SUITE_P(FakeS3ThatLosesAnswersAndRemembersUploads, ObjectStoreConformance,
                         testing::Values(On({.forgets_uploads = false}, EveryThird(Lie::kAnswerLost))));
INSTANTIATE_TEST_SUITE_P(FakeS3ThatIsSlow, ObjectStoreConformance, testing::Values(On({}, EveryThird(Lie::kSlowDown))));

class S3ObjectStoreTest : public testing::Test {
 protected:
  static std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 1000);
    return bytes;
  }
  std::unique_ptr<StagedUpload> Stage(S3ObjectStore& store, absl::string_view bytes) {
    absl::StatusOr<std::unique_ptr<StagedUpload>> staged = store.OpenStaged(id_, 0, "");
    EXPECT_OK(staged);
    EXPECT_OK((*staged)->Append(bytes));
    return *std::move(staged);
  }
  void FailAll(const std::string& name, Lie lie) {
    server_.SetRule([name, lie](const FakeS3::Request& request) { return request.name == name ? lie : Lie::kNone; });
  }
  void FailOnce(const std::string& name, Lie lie) {
    server_.SetRule([name, lie, done = std::make_shared<bool>(false)](const FakeS3::Request& request) {
      if (*done || request.name != name) return Lie::kNone;
      *done = true;
      return lie;
    });
  }
  void Publish(absl::string_view bytes) { ASSERT_OK(store_.Publish(id_, Stage(store_, bytes))); }
  std::string Stored() { return server_.ObjectBytes("r/objects/" + key_.ToString()); }

  StoreOnFake fake_;
  FakeS3& server_ = *fake_.server;
  S3ObjectStore& store_ = fake_.store;
  // Another process on the same server.
  StoreOnFake other_{{}, fake_.server};
  const UploadId id_ = UploadId::Random();
  const StorageKey key_ = StagingObjectStore::KeyOf(id_);
  const std::string bytes_ = Bytes(3 * kPartBytes + 1000);
};

TEST_F(S3ObjectStoreTest, ChecksThatTheServerHasTheIdOfTheStore) {
  const absl::Status missing = store_.CheckServer();
  EXPECT_THAT(missing, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(missing.message(), testing::HasSubstr("does not have the object \"r/store_id\" any more"));
  server_.Overwrite("r/store_id", "id");
  EXPECT_OK(store_.CheckServer());
}

TEST_F(S3ObjectStoreTest, ASmallUploadIsOneRequest) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, "small");
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  EXPECT_THAT(server_.Requests(), ElementsAre("PUT r"));
}

TEST_F(S3ObjectStoreTest, ALargeUploadIsOneRequestForEachPartAndTwoMore) {
  Publish(bytes_);
  EXPECT_THAT(server_.Requests(), ElementsAre("POST r?uploads", "PUT r?partNumber", "PUT r?partNumber",
                                              "PUT r?partNumber", "PUT r?partNumber", "POST r?uploadId"));
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ObjectStoreTest, AnotherProcessGoesOnWithAnUpload) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  EXPECT_LT(state.size(), 300u);
  staged.reset();
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(staged->Append("more"));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_ + "more");
}

TEST_F(S3ObjectStoreTest, ATailThatComesBackWithOtherBytesEndsTheUpload) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, "some bytes");
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  staged.reset();
  const std::vector<std::string> keys = server_.Keys();
  const auto tail = std::find_if(keys.begin(), keys.end(),
                                 [](const std::string& key) { return key.find("/staging/") != std::string::npos; });
  ASSERT_NE(tail, keys.end());
  server_.Overwrite(*tail, "same bytes");
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, 10, state));
  const absl::Status appended = staged->Append(" and more");
  const absl::Status published = appended.ok() ? other_.store.Publish(id_, std::move(staged)) : appended;
  EXPECT_THAT(published, IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(S3ObjectStoreTest, AnUploadThatIsWholeIsCompletedWithOneRequest) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  staged.reset();
  server_.ForgetRequests();
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_THAT(server_.Requests(), ElementsAre("POST r?uploadId"));
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ObjectStoreTest, BytesThatWereNeverRecordedDoNotHarmThoseThatWere) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  // Replaces the part that has the tail.
  ASSERT_OK(staged->Append(std::string(2 * kPartBytes, 'x')));
  ASSERT_OK(staged->Save());
  staged.reset();
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ObjectStoreTest, AStaleProcessCannotChangeTheObject) {
  std::unique_ptr<StagedUpload> stale = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, stale->Save());
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(staged->Append(std::string(kPartBytes, 'x')));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  const std::string good = Stored();

  absl::Status late = stale->Append(std::string(kPartBytes, 'y'));
  if (late.ok()) late = store_.Publish(id_, std::move(stale));
  EXPECT_THAT(late, IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_TRUE(Stored() == good);
}

TEST_F(S3ObjectStoreTest, AStaleProcessMakesASealFailAtMost) {
  std::unique_ptr<StagedUpload> stale = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, stale->Save());
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  const std::string part(kPartBytes, 'x');
  ASSERT_OK(staged->Append(part));
  ASSERT_OK(staged->Save());
  // Replaces the part of the same number.
  ASSERT_OK(stale->Append(std::string(kPartBytes, 'y')));
  ASSERT_OK(stale->Save());
  EXPECT_THAT(other_.store.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(store_.Open(key_), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_F(S3ObjectStoreTest, ALateTailDoesNotHarmWhatWasSavedMeanwhile) {
  std::unique_ptr<StagedUpload> stale = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, stale->Save());
  const std::string more(kPartBytes, 'x');
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(staged->Append(more));
  ASSERT_OK_AND_ASSIGN(const std::string saved, staged->Save());
  staged.reset();
  // It has some of the same bytes, and sends them as its tail: where another process has a whole part, and a tail of
  // its own.
  ASSERT_OK(stale->Append(more.substr(0, 100)));
  ASSERT_OK(stale->Save());
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size() + more.size(), saved));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_ + more);
}

TEST_F(S3ObjectStoreTest, ATailThatIsReplacedBeforeTheCompletionIsSentAgain) {
  for (const char* saved : {"", "saved"}) {
    const UploadId id = UploadId::Random();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id, 0, ""));
    ASSERT_OK(staged->Append(bytes_));
    if (*saved != '\0') {
      ASSERT_OK(staged->Save());
    }
    FailOnce("POST r?uploadId", Lie::kInvalidPart);
    ASSERT_OK(store_.Publish(id, std::move(staged)));
    EXPECT_TRUE(server_.ObjectBytes("r/objects/" + StagingObjectStore::KeyOf(id).ToString()) == bytes_) << saved;
  }
  FailAll("POST r?uploadId", Lie::kInvalidPart);
  EXPECT_THAT(store_.Publish(id_, Stage(store_, bytes_)), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(S3ObjectStoreTest, AStaleSmallUploadDoesNotReplaceTheObject) {
  std::unique_ptr<StagedUpload> stale = Stage(store_, "old");
  ASSERT_OK(other_.store.Publish(id_, Stage(other_.store, "new")));
  EXPECT_THAT(store_.Publish(id_, std::move(stale)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(Stored(), "new");
}

TEST(S3BucketTest, FindsOutWhatTheServerDoesWithConditions) {
  StoreOnFake keeps;
  StoreOnFake refuses({.refuses_conditions = true});
  StoreOnFake ignores({.knows_conditions = false});
  // Also if the object is there already.
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(keeps.bucket.ProbeConditions("probe"), IsOkAndHolds(Conditions::kKept));
    EXPECT_THAT(refuses.bucket.ProbeConditions("probe"), IsOkAndHolds(Conditions::kRefused));
    StoreOnFake again({}, ignores.server);
    EXPECT_THAT(again.bucket.ProbeConditions("probe"), IsOkAndHolds(Conditions::kIgnored));
  }
  EXPECT_THAT(keeps.server->Requests(), ElementsAre("PUT probe", "PUT probe", "PUT probe"));
  keeps.server->SetRule([](const FakeS3::Request&) { return Lie::kDenied; });
  EXPECT_THAT(keeps.bucket.ProbeConditions("probe"), IsOciError(OciErrorCode::kUnavailable));
}

TEST(S3BucketTest, ALostAnswerDoesNotLookLikeAnIgnoredCondition) {
  StoreOnFake keeps({}, nullptr);
  keeps.server->SetRule(EveryThird(Lie::kAnswerLost));
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(keeps.bucket.ProbeConditions("probe"), IsOkAndHolds(Conditions::kKept));
  }
}

// Two processes publish the same upload, whose digest the session's record has promised: the bytes are the same.
TEST_F(S3ObjectStoreTest, WithoutConditionsALatePublishWritesTheSameBytes) {
  StoreOnFake ignores({.knows_conditions = false});
  ASSERT_THAT(ignores.bucket.ProbeConditions("probe"), IsOkAndHolds(Conditions::kIgnored));
  StoreOnFake other({}, ignores.server);
  for (const std::string& bytes : {std::string("small"), bytes_}) {
    const UploadId id = UploadId::Random();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> stale, ignores.store.OpenStaged(id, 0, ""));
    ASSERT_OK(stale->Append(bytes));
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, other.store.OpenStaged(id, 0, ""));
    ASSERT_OK(staged->Append(bytes));
    ASSERT_OK(other.store.Publish(id, std::move(staged)));
    const StorageKey key = StagingObjectStore::KeyOf(id);
    ASSERT_OK_AND_ASSIGN(const OpenObject before, other.store.Open(key));
    ASSERT_OK(ignores.store.Publish(id, std::move(stale)));
    // Also for a reader that has begun.
    EXPECT_TRUE(Contents(before) == bytes);
    ASSERT_OK_AND_ASSIGN(const OpenObject after, other.store.Open(key));
    EXPECT_TRUE(Contents(after) == bytes);
  }
}

TEST_F(S3ObjectStoreTest, AnAnswerToACompletionThatWasLostIsFoundOut) {
  FailOnce("POST r?uploadId", Lie::kAnswerLost);
  Publish(bytes_);
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ObjectStoreTest, ACompletionThatFailsAfterIts200IsRepeated) {
  FailOnce("POST r?uploadId", Lie::kLateError);
  Publish(bytes_);
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ObjectStoreTest, AnUploadThatCouldNotBeCompletedCanBeCompletedLater) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  FailAll("POST r?uploadId", Lie::kLateError);
  EXPECT_THAT(store_.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(server_.OpenUploads(), 1u);
  server_.SetRule(nullptr);
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ObjectStoreTest, AnotherProcessRepeatsAPublish) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  // It was killed before it wrote its record.
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenPublished(id_, bytes_.size()));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
}

TEST_F(S3ObjectStoreTest, APartThatFailsIsSentAgainWithTheNextBytes) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_.substr(0, kPartBytes));
  FailAll("PUT r?partNumber", Lie::kLost);
  // The first is sent while the second comes in; then it is known that it failed.
  absl::Status status;
  size_t taken = kPartBytes;
  while (status.ok() && taken < bytes_.size()) {
    status = staged->Append(absl::string_view(bytes_).substr(taken, 100'000));
    if (status.ok()) taken += 100'000;
    EXPECT_EQ(staged->size_bytes(), taken);
  }
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  server_.SetRule(nullptr);
  ASSERT_OK(staged->Append(absl::string_view(bytes_).substr(taken)));
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ObjectStoreTest, AnUploadThatTheServerEndedIsUnknown) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK(staged->Save());
  server_.AbortAll();
  EXPECT_THAT(store_.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(S3ObjectStoreTest, DiscardingDeletesWhatNoStateNames) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK(staged->Save());
  ASSERT_OK(staged->Append("more"));
  ASSERT_OK(staged->Save());
  EXPECT_EQ(server_.OpenUploads(), 1u);
  EXPECT_THAT(server_.Keys(), SizeIs(2));
  ASSERT_OK(store_.DiscardStaged(id_, ""));
  EXPECT_EQ(server_.OpenUploads(), 0u);
  EXPECT_THAT(server_.Keys(), IsEmpty());
}

TEST_F(S3ObjectStoreTest, LargeObjectsAreCopiedInPieces) {
  Publish(bytes_);
  const std::string from = "r/objects/" + key_.ToString();
  S3Bucket bucket(&fake_.client, {}, {.bytes_max = bytes_.size() - 1, .piece_bytes = 1'000'000});
  ASSERT_OK(bucket.Copy(from, "copy", bytes_.size()));
  EXPECT_TRUE(server_.ObjectBytes("copy") == bytes_);
  FailAll("PUT copy2?partNumber", Lie::kDenied);
  EXPECT_THAT(bucket.Copy(from, "copy2", bytes_.size()), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(server_.OpenUploads(), 0u);
}

// The keys of that many objects, which the server has with their quarantined copies.
std::vector<StorageKey> ManyObjects(size_t count, FakeS3& server) {
  std::vector<StorageKey> keys;
  for (size_t i = 0; i < count; ++i) {
    keys.push_back(StagingObjectStore::KeyOf(UploadId::Random()));
    for (const char* folder : {"r/objects/", "r/quarantine/"}) server.Overwrite(folder + keys.back().ToString(), "x");
  }
  return keys;
}

TEST(S3BulkDeletesTest, ThousandObjectsTakeTwoRequests) {
  StoreOnFake fake;
  const std::vector<StorageKey> keys = ManyObjects(1000, *fake.server);
  for (const absl::Status& status : fake.store.DeleteAll(keys)) EXPECT_OK(status);
  EXPECT_THAT(fake.server->Keys(), IsEmpty());
  EXPECT_THAT(fake.server->Requests(), ElementsAre("POST ?delete", "POST ?delete"));
}

TEST(S3BulkDeletesTest, AnObjectThatCannotBeDeletedHasTheOnlyError) {
  StoreOnFake fake;
  const std::vector<StorageKey> keys = ManyObjects(3, *fake.server);
  fake.server->Protect("r/quarantine/" + keys[1].ToString());
  const std::vector<absl::Status> statuses = fake.store.DeleteAll(keys);
  EXPECT_OK(statuses[0]);
  EXPECT_THAT(statuses[1], IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(statuses[1].message(), HasSubstr("AccessDenied"));
  EXPECT_OK(statuses[2]);
  EXPECT_THAT(fake.server->Keys(), SizeIs(1));
}

TEST(S3BulkDeletesTest, AServerThatDoesNotKnowThemIsAskedOnce) {
  StoreOnFake fake({.knows_bulk_deletes = false});
  for (int i = 0; i < 2; ++i) {
    for (const absl::Status& status : fake.store.DeleteAll(ManyObjects(20, *fake.server))) EXPECT_OK(status);
    EXPECT_THAT(fake.server->Keys(), IsEmpty());
  }
  const std::vector<std::string> requests = fake.server->Requests();
  EXPECT_EQ(std::count(requests.begin(), requests.end(), "POST ?delete"), 1);
}

TEST(S3BulkDeletesTest, AFailureIsThatOfEachObject) {
  StoreOnFake fake;
  const std::vector<StorageKey> keys = ManyObjects(3, *fake.server);
  fake.server->SetRule([](const FakeS3::Request&) { return Lie::kDenied; });
  for (const absl::Status& status : fake.store.DeleteAll(keys)) {
    EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  }
  EXPECT_THAT(fake.server->Keys(), SizeIs(6));
}

TEST_F(S3ObjectStoreTest, OldTailsAreDeletedLater) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, "a");
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(staged->Append("b"));
    ASSERT_OK(staged->Save());
    staged->Recorded();
    TestClock().Advance(absl::Minutes(2));
  }
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  // Deletions run aside.
  EXPECT_TRUE(Eventually([&] { return server_.Keys().size() <= 2; }));
}

TEST_F(S3ObjectStoreTest, ListsStagedBytesThatAreOlderThanAnySession) {
  std::unique_ptr<StagedUpload> large = Stage(store_, bytes_);
  ASSERT_OK(large->Save());
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  TestClock().Advance(absl::Hours(73));
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(ElementsAre(id_)));
}

TEST_F(S3ObjectStoreTest, AServerThatIsNotItselfIsUnavailable) {
  Publish("bytes");
  for (const Lie lie : {Lie::kLost, Lie::kSlowDown, Lie::kInternalError, Lie::kDenied, Lie::kNoBucket, Lie::kProxy}) {
    server_.SetRule([lie](const FakeS3::Request&) { return lie; });
    EXPECT_THAT(store_.Open(key_), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(store_.Delete(key_), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(store_.List("", 10), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(store_.ReadOwner(), IsOciError(OciErrorCode::kUnavailable));
  }
  server_.SetRule(nullptr);
  EXPECT_OK(store_.Open(key_));
}

TEST_F(S3ObjectStoreTest, ReadsAreContinuedAfterACut) {
  Publish(bytes_);
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_.Open(key_));
  FailOnce("GET r", Lie::kCutBody);
  EXPECT_TRUE(Contents(object) == bytes_);
  EXPECT_EQ(server_.Requests().back(), "GET r");
}

// Counts the responses that are paced by clients and not freed yet.
class CountingTransport : public Transport {
 public:
  explicit CountingTransport(Transport* server) : server_(*server) {}

  absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest& request) override {
    ASSIGN_OR_RETURN(std::unique_ptr<WireResponse> response, server_.Send(request));
    if (!request.paced_by_client) return response;
    return std::make_unique<Counted>(std::move(response), &open);
  }

  int open = 0;

 private:
  class Counted : public WireResponse {
   public:
    Counted(std::unique_ptr<WireResponse> response, int* open) : response_(std::move(response)), open_(*open) {
      ++open_;
    }
    ~Counted() override { --open_; }
    int status() const override { return response_->status(); }
    const std::map<std::string, std::string>& headers() const override { return response_->headers(); }
    absl::StatusOr<size_t> Read(char* data, size_t size) override { return response_->Read(data, size); }

   private:
    const std::unique_ptr<WireResponse> response_;
    int& open_;
  };

  Transport& server_;
};

TEST_F(S3ObjectStoreTest, AReaderIsPacedByItsClientAndFreesItsConnectionAtTheEnd) {
  Publish(bytes_);
  CountingTransport transport(&server_);
  S3Client client({.target = {.endpoint = "http://s3.test", .bucket = "bucket"}}, &transport, &fake_.credentials,
                  &TestClock(), &fake_.s3_metrics);
  S3Bucket bucket(&client, {});
  const std::string key = "r/objects/" + key_.ToString();
  ASSERT_OK_AND_ASSIGN(S3Head head, bucket.Head(key));
  S3ObjectReader reader(key, std::move(head), &bucket);
  std::string read(bytes_.size(), '\0');
  ASSERT_THAT(reader.ReadAt(read.data(), 1000, 0), IsOkAndHolds(1000u));
  EXPECT_EQ(transport.open, 1);
  ASSERT_THAT(reader.ReadAt(read.data() + 1000, read.size() - 1000, 1000), IsOkAndHolds(read.size() - 1000));
  EXPECT_EQ(transport.open, 0);
  EXPECT_TRUE(read == bytes_);
}

TEST_F(S3ObjectStoreTest, AReaderMayGoBackAndForth) {
  Publish(bytes_);
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_.Open(key_));
  ObjectReader& reader = *std::get<std::unique_ptr<ObjectReader>>(object.content);
  std::string piece(1000, '\0');
  for (const uint64_t offset : {uint64_t{0}, kPartBytes, uint64_t{5}, bytes_.size() - 10}) {
    ASSERT_OK_AND_ASSIGN(const size_t count, reader.ReadAt(piece.data(), piece.size(), offset));
    EXPECT_TRUE(piece.substr(0, count) == bytes_.substr(offset, 1000));
  }
  EXPECT_THAT(reader.ReadAt(piece.data(), piece.size(), bytes_.size()), IsOkAndHolds(0u));
}

TEST_F(S3ObjectStoreTest, AnObjectThatWasReplacedIsNotReadAsTheOldOne) {
  Publish(bytes_);
  ASSERT_OK_AND_ASSIGN(const OpenObject before, store_.Open(key_));
  server_.Overwrite("r/objects/" + key_.ToString(), std::string(bytes_.size(), 'x'));
  std::string piece(1000, '\0');
  EXPECT_THAT(std::get<std::unique_ptr<ObjectReader>>(before.content)->ReadAt(piece.data(), piece.size(), 0),
              StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_OK_AND_ASSIGN(const OpenObject after, store_.Open(key_));
  EXPECT_FALSE(before.version == after.version);
}

TEST_F(S3ObjectStoreTest, UploadsBeyondTheMemoryAreUnavailable) {
  std::vector<std::unique_ptr<StagedUpload>> uploads;
  absl::Status status;
  for (int i = 0; i < 200 && status.ok(); ++i) {
    uploads.push_back(*store_.OpenStaged(UploadId::Random(), 0, ""));
    status = uploads.back()->Append(std::string(kPartBytes - 1, 'x'));
  }
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("objects.s3.upload_memory_bytes_max"));
  uploads.resize(1);
  EXPECT_OK(uploads[0]->Append("y"));
}

TEST_F(S3ObjectStoreTest, AReadCountsAgainstTheShareOfItsRequester) {
  Publish("bytes");
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_.Open(key_));
  ObjectReader& reader = *std::get<std::unique_ptr<ObjectReader>>(object.content);
  reader.SetRequester("account ada");
  std::vector<std::string> clients;
  server_.SetRule([&](const FakeS3::Request& request) {
    clients.push_back(request.client);
    return Lie::kNone;
  });
  char piece[5];
  EXPECT_THAT(reader.ReadAt(piece, sizeof(piece), 0), IsOkAndHolds(sizeof(piece)));
  server_.SetRule(nullptr);
  EXPECT_THAT(clients, ElementsAre("account ada"));
}

TEST_F(S3ObjectStoreTest, ReadsNoSavedTailForWhichThereIsNoMemory) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, std::string(kPartBytes - 1, 'x'));
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  staged.reset();
  std::vector<std::unique_ptr<StagedUpload>> others;
  absl::Status full;
  while (full.ok()) {
    others.push_back(*store_.OpenStaged(UploadId::Random(), 0, ""));
    full = others.back()->Append(std::string(kPartBytes, 'y'));
  }
  server_.ForgetRequests();
  ASSERT_OK_AND_ASSIGN(staged, store_.OpenStaged(id_, kPartBytes - 1, state));
  EXPECT_THAT(staged->Append("x").message(), HasSubstr("objects.s3.upload_memory_bytes_max"));
  EXPECT_THAT(server_.Requests(), testing::IsEmpty());
  others.clear();
  EXPECT_OK(staged->Append("x"));
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == std::string(kPartBytes, 'x'));
}

TEST_F(S3ObjectStoreTest, HoldsNoSavedTailsWhileMemoryIsScarce) {
  std::vector<std::unique_ptr<StagedUpload>> uploads;
  for (int i = 0; i < 200; ++i) {
    uploads.push_back(*store_.OpenStaged(UploadId::Random(), 0, ""));
    ASSERT_OK(uploads.back()->Append(std::string(kPartBytes - 1, 'x')));
    ASSERT_OK(uploads.back()->Save());
  }
  EXPECT_LE(fake_.s3_metrics.upload_memory()->Value(), 33 << 20);
}

}  // namespace
}  // namespace entrepot::blob::s3
