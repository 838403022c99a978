#include "services/blob/objects/verified_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/blob_stack.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/blob/objects/blob_directory.h"
#include "services/blob/objects/blob_keys.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using Call = FaultySystemCalls::Call;

constexpr size_t kSize = 700'001;
constexpr size_t kPiece = 100'000;

class VerifiedReaderTest : public testing::Test {
 protected:
  VerifiedReaderTest() { Restart(); }

  // Reopens the stack without recorded results.
  void Restart() {
    stack_.reset();
    registry_ = std::make_shared<prometheus::Registry>();
    BlobStackOptions options;
    options.directory = directory_.path() + "/blobs";
    runtime::FillDefaults(&options.uploads);
    options.upkeep_interval = absl::Hours(1);
    stack_ = *BlobStack::Open(options, {.kv = &kv_, .clock = &clock_, .registry = registry_, .system_calls = &calls_});
  }

  Blob Store(const std::string& bytes) {
    const UploadOwner owner{.repository = *RepositoryName::Parse("a"), .account = ""};
    UploadSessions& sessions = stack_->upload_sessions();
    const UploadId id = sessions.Start(owner, DigestAlgorithm::kSha256)->id;
    std::unique_ptr<UploadAppender> appender = *sessions.Append(owner, id, {});
    EXPECT_OK(appender->Append(bytes));
    Blob sealed = *appender->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes));
    return {sealed.digest, sealed.size_bytes, sealed.storage_key};
  }

  // Flips one bit of the byte at `offset` and advances the file's time, as if a second had passed.
  void FlipBit(const Blob& blob, off_t offset) {
    const std::string path =
        absl::StrCat(directory_.path(), "/blobs/objects/", BlobDirectory::PathOf(blob.storage_key));
    const OwnedFd fd(::open(path.c_str(), O_RDWR));
    char byte = 0;
    ASSERT_EQ(::pread(fd.get(), &byte, 1, offset), 1);
    byte ^= 1;
    ASSERT_EQ(::pwrite(fd.get(), &byte, 1, offset), 1);
    struct stat now;
    ASSERT_EQ(::fstat(fd.get(), &now), 0);
    const timespec times[2] = {now.st_atim, {now.st_mtim.tv_sec + ++flips_, 0}};
    ASSERT_EQ(::futimens(fd.get(), times), 0);
  }

  absl::StatusOr<ReadContent> OpenWhole(const Blob& blob) {
    return stack_->reader().Open(blob.storage_key, {0, blob.size_bytes}, blob.digest);
  }

  struct Got {
    std::string bytes;
    absl::Status end;
  };

  // Reads the stream to its end, in pieces.
  static Got ReadAll(VerifyingStream& stream) {
    Got got;
    std::string piece(kPiece, '\0');
    while (got.bytes.size() <= kSize) {
      const absl::StatusOr<size_t> count = stream.Read(piece.data(), piece.size());
      if (!count.ok() || *count == 0) {
        got.end = count.status();
        return got;
      }
      got.bytes.append(piece, 0, *count);
    }
    got.end = absl::InternalError("the stream does not end");
    return got;
  }

  static bool IsFile(const absl::StatusOr<ReadContent>& content) {
    return content.ok() && std::holds_alternative<OwnedFd>(*content);
  }
  static VerifyingStream* StreamOf(absl::StatusOr<ReadContent>& content) {
    if (!content.ok()) return nullptr;
    auto* stream = std::get_if<std::unique_ptr<VerifyingStream>>(&*content);
    return stream == nullptr ? nullptr : stream->get();
  }

  double CorruptReads() const {
    for (const prometheus::MetricFamily& family : registry_->Collect()) {
      if (family.name == "entrepot_blob_corrupt_reads_total") return family.metric.at(0).counter.value;
    }
    return -1;
  }

  int flips_ = 0;
  kv::TemporaryDirectory directory_;
  FaultySystemCalls calls_;
  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<BlobStack> stack_;
  const std::string bytes_ = std::string(kSize / 2, 'a') + std::string(kSize - kSize / 2, 'b');
};

TEST_F(VerifiedReaderTest, AJustUploadedObjectIsAFile) {
  const Blob blob = Store(bytes_);
  EXPECT_TRUE(IsFile(OpenWhole(blob)));
  EXPECT_TRUE(IsFile(stack_->reader().Open(blob.storage_key, {5, 10}, std::nullopt)));
}

TEST_F(VerifiedReaderTest, AnUnknownFileIsHashedOnce) {
  const Blob blob = Store(bytes_);
  Restart();
  absl::StatusOr<ReadContent> content = OpenWhole(blob);
  ASSERT_NE(StreamOf(content), nullptr);
  const Got got = ReadAll(*StreamOf(content));
  EXPECT_OK(got.end);
  EXPECT_TRUE(got.bytes == bytes_);
  EXPECT_TRUE(IsFile(OpenWhole(blob)));

  clock_.Advance(absl::Hours(25));
  content = OpenWhole(blob);
  EXPECT_NE(StreamOf(content), nullptr) << "the result has expired";
}

TEST_F(VerifiedReaderTest, AStreamReadInPartProvesNothing) {
  const Blob blob = Store(bytes_);
  Restart();
  absl::StatusOr<ReadContent> content = OpenWhole(blob);
  ASSERT_NE(StreamOf(content), nullptr);
  std::string piece(kPiece, '\0');
  ASSERT_OK(StreamOf(content)->Read(piece.data(), piece.size()));
  content = OpenWhole(blob);
  EXPECT_NE(StreamOf(content), nullptr);
}

TEST_F(VerifiedReaderTest, WithholdsTheLastPieceOfACorruptObject) {
  for (const off_t offset : {off_t{0}, off_t{kSize / 2}, off_t{kSize - 1}}) {
    const Blob blob = Store(bytes_);
    FlipBit(blob, offset);
    const double before = CorruptReads();
    absl::StatusOr<ReadContent> content = OpenWhole(blob);
    ASSERT_NE(StreamOf(content), nullptr) << "its file has changed";
    const Got got = ReadAll(*StreamOf(content));
    EXPECT_THAT(got.end, StatusIs(absl::StatusCode::kDataLoss)) << offset;
    EXPECT_EQ(got.bytes.size(), kSize / kPiece * kPiece) << offset;

    EXPECT_THAT(OpenWhole(blob), StatusIs(absl::StatusCode::kDataLoss)) << "the result is recorded";
    EXPECT_THAT(stack_->reader().Open(blob.storage_key, {5, 10}, std::nullopt), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_EQ(CorruptReads(), before + 3);

    FlipBit(blob, offset);
    content = OpenWhole(blob);
    ASSERT_NE(StreamOf(content), nullptr) << "changed again";
    EXPECT_OK(ReadAll(*StreamOf(content)).end);
    EXPECT_TRUE(IsFile(OpenWhole(blob)));
  }
}

TEST_F(VerifiedReaderTest, StreamsOfOneFileAreHashedOnce) {
  const Blob blob = Store(bytes_);
  FlipBit(blob, kSize - 1);
  absl::StatusOr<ReadContent> first = OpenWhole(blob);
  absl::StatusOr<ReadContent> second = OpenWhole(blob);
  ASSERT_NE(StreamOf(first), nullptr);
  ASSERT_NE(StreamOf(second), nullptr);
  std::string piece(kPiece, '\0');
  ASSERT_OK(StreamOf(second)->Read(piece.data(), piece.size()));
  EXPECT_THAT(ReadAll(*StreamOf(first)).end, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(StreamOf(second)->Read(piece.data(), piece.size()), StatusIs(absl::StatusCode::kDataLoss))
      << "it ends at once, not at its last piece";

  // A stream of the changed file has another hash.
  FlipBit(blob, kSize - 1);
  absl::StatusOr<ReadContent> third = OpenWhole(blob);
  ASSERT_NE(StreamOf(third), nullptr);
  EXPECT_OK(ReadAll(*StreamOf(third)).end);
}

TEST_F(VerifiedReaderTest, ChecksARestAgainstTheWholeDigest) {
  const Blob blob = Store(bytes_);
  FlipBit(blob, 0);
  absl::StatusOr<ReadContent> content = stack_->reader().Open(blob.storage_key, {kSize - kPiece, kPiece}, blob.digest);
  ASSERT_NE(StreamOf(content), nullptr);
  Got got = ReadAll(*StreamOf(content));
  EXPECT_THAT(got.end, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(got.bytes, "");

  FlipBit(blob, 0);
  content = stack_->reader().Open(blob.storage_key, {kSize - kPiece, kPiece}, blob.digest);
  ASSERT_NE(StreamOf(content), nullptr);
  got = ReadAll(*StreamOf(content));
  EXPECT_OK(got.end);
  EXPECT_TRUE(got.bytes == bytes_.substr(kSize - kPiece));
}

TEST_F(VerifiedReaderTest, AnObjectOfAnotherSizeIsNotTheBlob) {
  const Blob blob = Store(bytes_);
  EXPECT_THAT(stack_->reader().Open(blob.storage_key, {0, kSize - 1}, blob.digest),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(stack_->reader().Open(blob.storage_key, {0, kSize + 1}, blob.digest),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(stack_->reader().Open(blob.storage_key, {1, kSize}, std::nullopt), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(stack_->reader().Open(StorageKey::Random(StorageTier::kFile), {0, 1}, std::nullopt),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(VerifiedReaderTest, AValueIsHashedAtEachRead) {
  const Blob blob = Store("small goods");
  const absl::StatusOr<ReadContent> content = OpenWhole(blob);
  ASSERT_OK(content);
  EXPECT_EQ(std::get<std::string>(*content), "small goods");
  ASSERT_OK(kv_.Transact(
      {},
      [&](kv::KvTransaction& transaction) {
        transaction.Put(ObjectKey(blob.storage_key), "small gools");
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  EXPECT_THAT(OpenWhole(blob), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(CorruptReads(), 1);
}

TEST_F(VerifiedReaderTest, UnreadableBytesAreDataLoss) {
  const Blob blob = Store(bytes_);
  Restart();
  absl::StatusOr<ReadContent> content = OpenWhole(blob);
  ASSERT_NE(StreamOf(content), nullptr);
  calls_.Fail(Call::kRead, EIO, /*skip=*/3);
  const Got got = ReadAll(*StreamOf(content));
  EXPECT_THAT(got.end, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(got.bytes == bytes_.substr(0, 3 * kPiece));
  EXPECT_EQ(CorruptReads(), 1);
  calls_.Heal();
  content = OpenWhole(blob);
  ASSERT_NE(StreamOf(content), nullptr);
  EXPECT_OK(ReadAll(*StreamOf(content)).end) << "a read error is not recorded";
}

TEST_F(VerifiedReaderTest, VerifyRecordsItsResult) {
  const Blob good = Store(bytes_);
  const Blob bad = Store(bytes_ + "x");
  Restart();
  FlipBit(bad, 3);
  EXPECT_OK(stack_->storage().Verify(good, 0));
  EXPECT_THAT(stack_->storage().Verify(bad, 0), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(IsFile(OpenWhole(good)));
  EXPECT_THAT(OpenWhole(bad), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entrepot::blob
