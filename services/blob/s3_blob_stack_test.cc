// The blob stack with its large objects in S3.

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/blob_stack.h"
#include "services/blob/s3/testing/fake_s3_server.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using s3::FakeS3;
using testing::HasSubstr;

constexpr size_t kSize = 3'500'001;

class S3BlobStackTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<BlobStack>> Open(kv::KvEngine& kv, const std::string& prefix = "r") {
    BlobStackOptions options;
    options.directory = directory_.path() + "/blobs";
    options.objects = objects_;
    options.objects.mutable_s3()->set_prefix(prefix);
    if (upload_memory_bytes_max_ > 0)
      options.objects.mutable_s3()->set_upload_memory_bytes_max(upload_memory_bytes_max_);
    if (redirects_.has_value()) *options.objects.mutable_s3()->mutable_redirects() = *redirects_;
    runtime::FillDefaults(&options.uploads);
    options.upkeep_interval = absl::Hours(1);
    return BlobStack::Open(options,
                           {.kv = &kv, .clock = &clock_, .registry = std::make_shared<prometheus::Registry>()});
  }

  absl::StatusOr<Blob> Push(BlobStack& stack, const std::string& bytes) {
    absl::StatusOr<Upload> upload = stack.upload_sessions().Start(owner_, DigestAlgorithm::kSha256);
    if (!upload.ok()) return upload.status();
    absl::StatusOr<std::unique_ptr<UploadAppender>> appender = stack.upload_sessions().Append(owner_, upload->id, {});
    if (!appender.ok()) return appender.status();
    if (absl::Status status = (*appender)->Append(bytes); !status.ok()) return status;
    return (*appender)->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes));
  }

  struct Got {
    bool hashed = false;
    std::string bytes = {};
    absl::Status end = {};
  };

  Got Read(BlobStack& stack, const Blob& blob, const ByteRange& range, const std::optional<Digest>& whole) {
    absl::StatusOr<ReadContent> content = stack.reader().Open(blob.storage_key, range, whole);
    if (!content.ok()) return {.end = content.status()};
    VerifyingStream& stream = *std::get<std::unique_ptr<VerifyingStream>>(*content);
    Got got{.hashed = stream.is_hashed()};
    std::string piece(100'000, '\0');
    while (true) {
      const absl::StatusOr<size_t> count = stream.Read(piece.data(), piece.size());
      got.end = count.status();
      if (!count.ok() || *count == 0) return got;
      got.bytes.append(piece, 0, *count);
    }
  }
  Got ReadWhole(BlobStack& stack, const Blob& blob) {
    return Read(stack, blob, {.offset_bytes = 0, .length_bytes = blob.size_bytes}, blob.digest);
  }

  static std::string Bytes() {
    std::string bytes(kSize, '\0');
    for (size_t i = 0; i < kSize; ++i) bytes[i] = static_cast<char>(i * 31 + i / 777);
    return bytes;
  }

  const UploadOwner owner_ = {.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  const std::string bytes_ = Bytes();
  SystemClock clock_;
  uint64_t upload_memory_bytes_max_ = 0;
  std::optional<config::v1::S3Redirects> redirects_;
  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  s3::FakeS3Server server_;
  config::v1::ObjectStorage objects_ = server_.Config();
};

TEST_F(S3BlobStackTest, PushesAndReads) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Blob blob, Push(*stack, bytes_));
  const Got whole = ReadWhole(*stack, blob);
  EXPECT_OK(whole.end);
  EXPECT_TRUE(whole.bytes == bytes_);
  EXPECT_TRUE(whole.hashed) << "each process hashes its first read";
  EXPECT_FALSE(ReadWhole(*stack, blob).hashed);
  const Got part = Read(*stack, blob, {.offset_bytes = 1'000'000, .length_bytes = 1'234}, std::nullopt);
  EXPECT_OK(part.end);
  EXPECT_TRUE(part.bytes == bytes_.substr(1'000'000, 1'234));
  EXPECT_OK(stack->storage().Verify(blob, 0));
  EXPECT_OK(stack->storage().Check(blob.storage_key, kSize));
}

TEST_F(S3BlobStackTest, SmallBlobsStayWithTheRecords) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Blob blob, Push(*stack, "small"));
  EXPECT_EQ(blob.storage_key.tier(), StorageTier::kKv);
  EXPECT_THAT(server_.s3().Keys(), testing::ElementsAre("r/probe", "r/store_id"));
}

TEST_F(S3BlobStackTest, SomeClientsGetTheUrlOfALargeBlob) {
  redirects_.emplace();
  redirects_->add_clients("192.0.2.0/24");
  redirects_->set_endpoint("https://public.example");
  redirects_->mutable_url_lifetime()->set_seconds(60);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Blob small, Push(*stack, "small"));
  ASSERT_OK_AND_ASSIGN(const Blob large, Push(*stack, bytes_));
  const auto url = [&](const Blob& blob, absl::string_view client) -> absl::StatusOr<std::string> {
    absl::StatusOr<ReadContent> content =
        stack->reader().Open(blob.storage_key, {0, blob.size_bytes}, blob.digest, kv::ReadTier::kDisk, client);
    if (!content.ok()) return content.status();
    const auto* found = std::get_if<ObjectUrl>(&*content);
    return found == nullptr ? "" : found->url;
  };
  EXPECT_THAT(url(large, "192.0.2.7"),
              IsOkAndHolds(testing::StartsWith("https://public.example/bucket/r/objects/" +
                                               large.storage_key.ToString() + "?X-Amz-Algorithm=")));
  for (const char* other : {"192.0.3.7", "2001:db8::1", "unknown", ""}) {
    EXPECT_THAT(url(large, other), IsOkAndHolds("")) << other;
  }
  EXPECT_THAT(url(small, "192.0.2.7"), IsOkAndHolds("")) << "it is a record";
  const std::string key = "r/objects/" + large.storage_key.ToString();
  server_.s3().Overwrite(key, std::string(kSize, 'x'));
  EXPECT_THAT(ReadWhole(*stack, large).end, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(url(large, "192.0.2.7"), StatusIs(absl::StatusCode::kDataLoss)) << "it is known to be corrupt";
  server_.s3().Overwrite(key, "short");
  EXPECT_THAT(url(large, "192.0.2.7"), StatusIs(absl::StatusCode::kDataLoss)) << "it has another size";
  ASSERT_OK(stack->storage().Quarantine(large.storage_key));
  EXPECT_THAT(url(large, "192.0.2.7"), StatusIs(absl::StatusCode::kNotFound)) << "it is in quarantine";
}

TEST_F(S3BlobStackTest, SlowUploadsOfAnAccountLeaveMemoryToOthers) {
  upload_memory_bytes_max_ = 4 << 20;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  const std::string piece(900'000, 'x');
  std::vector<std::unique_ptr<UploadAppender>> open;
  // An upload that has begun, and is as far as a part goes.
  const auto begin = [&](const UploadOwner& owner) -> absl::Status {
    absl::StatusOr<Upload> upload = stack->upload_sessions().Start(owner, DigestAlgorithm::kSha256);
    if (!upload.ok()) return upload.status();
    absl::StatusOr<std::unique_ptr<UploadAppender>> appender = stack->upload_sessions().Append(owner, upload->id, {});
    if (!appender.ok()) return appender.status();
    open.push_back(*std::move(appender));
    return open.back()->Append(piece);
  };
  ASSERT_OK(begin(owner_));
  ASSERT_OK(begin(owner_));
  EXPECT_THAT(begin(owner_).message(), HasSubstr("its share of objects.s3.upload_memory_bytes_max"));
  UploadOwner other = owner_;
  other.account = "grace";
  EXPECT_OK(begin(other));
  other.account = kUpstreamAccount;
  EXPECT_OK(begin(other));
  EXPECT_THAT(begin(other).message(), HasSubstr("the bound objects.s3.upload_memory_bytes_max"));
}

TEST_F(S3BlobStackTest, FetchesLeaveMemoryToPushes) {
  upload_memory_bytes_max_ = 4 << 20;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  std::vector<std::unique_ptr<UploadAppender>> open;
  const auto begin = [&](const std::string& account) -> absl::Status {
    UploadOwner owner = owner_;
    owner.account = account;
    absl::StatusOr<Upload> upload = stack->upload_sessions().Start(owner, DigestAlgorithm::kSha256);
    if (!upload.ok()) return upload.status();
    absl::StatusOr<std::unique_ptr<UploadAppender>> appender = stack->upload_sessions().Append(owner, upload->id, {});
    if (!appender.ok()) return appender.status();
    open.push_back(*std::move(appender));
    // More than two parts.
    return open.back()->Append(std::string(2'900'000, 'x'));
  };
  // A fetch holds one part at most, so the share of all has room for two.
  EXPECT_OK(begin(kUpstreamAccount));
  EXPECT_OK(begin(kUpstreamAccount));
  EXPECT_THAT(begin(kUpstreamAccount).message(), HasSubstr("its share of objects.s3.upload_memory_bytes_max"));
  EXPECT_OK(begin("ada"));
}

TEST_F(S3BlobStackTest, ReplicasOfANewRegistryAgreeOnItsIdWithoutConditions) {
  s3::FakeS3Server ignores({.knows_conditions = false});
  objects_ = ignores.Config();
  std::vector<std::thread> starts;
  std::vector<absl::Status> statuses(3);
  for (absl::Status& status : statuses) {
    starts.emplace_back([&] { status = Open(kv_).status(); });
  }
  for (std::thread& start : starts) start.join();
  for (const absl::Status& status : statuses) EXPECT_OK(status);
  EXPECT_OK(Open(kv_)) << "the id in the bucket is that of the records";
}

TEST_F(S3BlobStackTest, AnotherProcessHashesTheFirstRead) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Blob blob, Push(*stack, bytes_));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> other, Open(kv_));
  Got got = ReadWhole(*other, blob);
  EXPECT_TRUE(got.hashed);
  EXPECT_OK(got.end);
  EXPECT_TRUE(got.bytes == bytes_);
  got = ReadWhole(*other, blob);
  EXPECT_FALSE(got.hashed);
  EXPECT_TRUE(got.bytes == bytes_);
}

TEST_F(S3BlobStackTest, ACorruptObjectIsNeverReadAsWhole) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Blob blob, Push(*stack, bytes_));
  std::string damaged = bytes_;
  damaged[kSize / 2] ^= 1;
  server_.s3().Overwrite("r/objects/" + blob.storage_key.ToString(), damaged);
  const Got first = ReadWhole(*stack, blob);
  EXPECT_THAT(first.end, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_LT(first.bytes.size(), kSize);
  // The rest after a part that was read before.
  const Got rest = Read(*stack, blob, {.offset_bytes = 3'000'000, .length_bytes = kSize - 3'000'000}, blob.digest);
  EXPECT_THAT(rest.end, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(stack->storage().Verify(blob, 0), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(S3BlobStackTest, RefusesTheBucketOfAnotherDatabase) {
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
    ASSERT_OK(Push(*stack, bytes_));
  }
  kv::MemoryKvEngine empty;
  const absl::Status used = Open(empty).status();
  EXPECT_THAT(used, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(used.message(), HasSubstr("the bucket \"bucket\" with the prefix \"r/\" is in use"));
  const absl::Status other = Open(kv_, "s").status();
  EXPECT_THAT(other, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(other.message(), HasSubstr("are the bucket and the prefix right?"));
  EXPECT_OK(Open(kv_));
}

TEST_F(S3BlobStackTest, RefusesABucketThatItMayNotUse) {
  for (const FakeS3::Lie lie : {FakeS3::Lie::kDenied, FakeS3::Lie::kNoBucket}) {
    server_.s3().SetRule([lie](const FakeS3::Request&) { return lie; });
    EXPECT_THAT(Open(kv_), IsOciError(OciErrorCode::kUnavailable));
  }
}

TEST_F(S3BlobStackTest, IsReadyForPullsOnlyIfTheServerCannotBeUsed) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  const std::vector<runtime::HealthCheck> checks = stack->Checks();
  for (const runtime::HealthCheck& check : checks) EXPECT_OK(check.check()) << check.name;
  const std::vector<std::pair<FakeS3::Lie, std::string>> lies = {
      {FakeS3::Lie::kLost, "the S3 server did not answer GetObject: "},
      {FakeS3::Lie::kDenied, "the S3 server answered GetObject in the bucket \"bucket\" with 403 AccessDenied"},
      {FakeS3::Lie::kNoBucket, "the S3 server answered GetObject in the bucket \"bucket\" with 404 NoSuchBucket"}};
  for (const auto& [lie, reason] : lies) {
    server_.s3().SetRule([lie = lie](const FakeS3::Request&) { return lie; });
    for (const runtime::HealthCheck& check : checks) {
      const absl::Status status = check.check();
      if (check.without == runtime::Readiness::kNone) {
        EXPECT_OK(status) << check.name;
        continue;
      }
      EXPECT_EQ(check.without, runtime::Readiness::kPulls);
      EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
      EXPECT_THAT(status.message(), HasSubstr(reason));
    }
  }
  server_.s3().SetRule(nullptr);
  for (const runtime::HealthCheck& check : checks) EXPECT_OK(check.check()) << check.name;
}

TEST_F(S3BlobStackTest, APushSurvivesAnswersThatAreLost) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<BlobStack> stack, Open(kv_));
  server_.s3().SetRule([count = std::make_shared<int>(0)](const FakeS3::Request&) {
    return ++*count % 4 == 0 ? FakeS3::Lie::kAnswerLost : FakeS3::Lie::kNone;
  });
  ASSERT_OK_AND_ASSIGN(const Blob blob, Push(*stack, bytes_));
  const Got got = ReadWhole(*stack, blob);
  EXPECT_OK(got.end);
  EXPECT_TRUE(got.bytes == bytes_);
}

}  // namespace
}  // namespace entrepot::blob
