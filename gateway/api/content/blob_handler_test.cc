#include "gateway/api/content/blob_handler.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/files/owned_fd.h"
#include "services/core/repository_name.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

std::string Path(const Digest& digest, absl::string_view repository = "a") {
  return absl::StrCat("/v2/", repository, "/blobs/", digest.ToString());
}

// The current blob of a digest.
Blob Find(TestRegistry& registry, const Digest& digest) {
  return registry.services().catalog()->blobs().Find(Caller(), *RepositoryName::Parse("a"), digest).value();
}

// Flips a bit of the stored bytes.
void Damage(TestRegistry& registry, const Blob& blob) {
  blob::OpenObject object = registry.services().blobs()->objects().Open(blob.storage_key).value();
  if (auto* bytes = std::get_if<std::string>(&object.content)) {
    bytes->at(bytes->size() / 2) ^= 1;
    ASSERT_OK(registry.services().kv()->Transact({}, [&](kv::KvTransaction& transaction) {
      transaction.Put("o/" + blob.storage_key.ToString(), *bytes);
      return absl::OkStatus();
    }));
    return;
  }
  const std::string path = absl::StrCat("/proc/self/fd/", std::get<OwnedFd>(object.content).get());
  const OwnedFd file(open(path.c_str(), O_RDWR));
  char byte = 0;
  const auto at = static_cast<off_t>(object.size_bytes / 2);
  ASSERT_EQ(pread(file.get(), &byte, 1, at), 1);
  byte ^= 1;
  ASSERT_EQ(pwrite(file.get(), &byte, 1, at), 1);
  struct stat now;
  ASSERT_EQ(fstat(file.get(), &now), 0);
  // As if it happened a second after the upload.
  const timespec times[2] = {now.st_atim, {now.st_mtim.tv_sec + 1, 0}};
  ASSERT_EQ(futimens(file.get(), times), 0);
}

// Small blobs are values in the KV, large ones are files.
class BlobHandlerTest : public testing::TestWithParam<size_t> {
 protected:
  // Whether the response begins before all bytes are verified.
  static bool IsStreamed() { return GetParam() > 256 << 10; }
  TestRegistry registry_;
  const std::string bytes_ = Bytes(GetParam());
  const Digest digest_ = registry_.PushBlob("a", bytes_);
};

INSTANTIATE_TEST_SUITE_P(Tiers, BlobHandlerTest, testing::Values(4200, 200'000, 3'000'000));

TEST_P(BlobHandlerTest, ReturnsTheBlob) {
  const RawResponse get = registry_.Call("GET", Path(digest_));
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body == bytes_, true);
  EXPECT_EQ(get.Field("content-disposition"), "attachment");
  const RawResponse head = registry_.Call("HEAD", Path(digest_));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  for (const RawResponse& response : {get, head}) {
    EXPECT_EQ(response.Field("content-length"), absl::StrCat(bytes_.size()));
    EXPECT_EQ(response.Field("docker-content-digest"), digest_.ToString());
    EXPECT_EQ(response.Field("content-type"), "application/octet-stream");
    EXPECT_EQ(response.Field("accept-ranges"), "bytes");
    EXPECT_EQ(response.Field("etag"), absl::StrCat("\"", digest_.ToString(), "\""));
    EXPECT_EQ(response.Field("content-encoding"), "(none)");
  }
}

TEST_P(BlobHandlerTest, ReturnsRanges) {
  const size_t size = bytes_.size();
  struct Case {
    std::string range;
    size_t first;
    size_t last;
  };
  const std::vector<Case> cases = {
      {"bytes=500-1499", 500, 1499},
      {"bytes=500-", 500, size - 1},
      {"bytes=-500", size - 500, size - 1},
      {absl::StrCat("bytes=2000-", size + 5000), 2000, size - 1},
      {"bytes=0-0", 0, 0},
      {absl::StrCat("bytes=", size - 1, "-"), size - 1, size - 1},
      {absl::StrCat("bytes=-", size + 1), 0, size - 1},
  };
  for (const Case& c : cases) {
    const RawResponse response = registry_.Call("GET", Path(digest_), "", absl::StrCat("Range: ", c.range, "\r\n"));
    EXPECT_EQ(response.status, 206) << c.range;
    EXPECT_EQ(response.Field("content-range"), absl::StrCat("bytes ", c.first, "-", c.last, "/", size)) << c.range;
    EXPECT_EQ(response.Field("content-length"), absl::StrCat(c.last - c.first + 1)) << c.range;
    EXPECT_EQ(response.Field("docker-content-digest"), digest_.ToString()) << c.range;
    EXPECT_EQ(response.body == bytes_.substr(c.first, c.last - c.first + 1), true) << c.range;
  }
}

TEST_P(BlobHandlerTest, ReturnsSeveralRangesInTheOrderOfTheRequest) {
  const size_t size = bytes_.size();
  const RawResponse response = registry_.Call("GET", Path(digest_), "", "Range: bytes=1000-3999, 0-9\r\nRange: -1\r\n");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.Field("content-range"), "(none)");
  EXPECT_EQ(response.Field("docker-content-digest"), digest_.ToString());
  const std::string boundary = digest_.ToString().substr(sizeof("sha256:") - 1);
  EXPECT_EQ(response.Field("content-type"), absl::StrCat("multipart/byteranges; boundary=", boundary));
  const auto part = [&](absl::string_view content_range, absl::string_view bytes) {
    return absl::StrCat("--", boundary, "\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ",
                        content_range, "/", size, "\r\n\r\n", bytes, "\r\n");
  };
  const std::string expected =
      absl::StrCat(part("1000-3999", absl::string_view(bytes_).substr(1000, 3000)), part("0-9", bytes_.substr(0, 10)),
                   part(absl::StrCat(size - 1, "-", size - 1), bytes_.substr(size - 1)), "--", boundary, "--\r\n");
  EXPECT_EQ(response.Field("content-length"), absl::StrCat(expected.size()));
  EXPECT_EQ(response.body == expected, true);
}

TEST_P(BlobHandlerTest, ReturnsAllBytesInTwoRanges) {
  const std::string half = absl::StrCat(bytes_.size() / 2);
  const RawResponse response = registry_.Call(
      "GET", Path(digest_), "", absl::StrCat("Range: bytes=0-", bytes_.size() / 2 - 1, ",", half, "-\r\n"));
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(absl::StrContains(response.body, absl::StrCat("\r\n\r\n", bytes_.substr(0, bytes_.size() / 2), "\r\n")),
            true);
  EXPECT_EQ(absl::StrContains(response.body, absl::StrCat("\r\n\r\n", bytes_.substr(bytes_.size() / 2), "\r\n")), true);
}

TEST_P(BlobHandlerTest, ReturnsASinglePartIfOneOfTheRangesIsInTheBlob) {
  const RawResponse response =
      registry_.Call("GET", Path(digest_), "", absl::StrCat("Range: bytes=", bytes_.size(), "-,5-6\r\n"));
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.Field("content-type"), "application/octet-stream");
  EXPECT_EQ(response.body, bytes_.substr(5, 2));
}

TEST_P(BlobHandlerTest, RefusesMoreRangesThanTheLimit) {
  std::string fields = "Range: bytes=0-0";
  for (int i = 1; i < 64; ++i) absl::StrAppend(&fields, ",", 2 * i, "-", 2 * i);
  EXPECT_EQ(registry_.Call("GET", Path(digest_), "", fields + "\r\n").status, 206);
  const RawResponse refused = registry_.Call("GET", Path(digest_), "", fields + ",200-200\r\n");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(ErrorCode(refused), "UNSUPPORTED");
  EXPECT_THAT(refused.body, testing::HasSubstr("lists 65 ranges, and one response has at most 64 (limits.ranges_max)"));
}

TEST_P(BlobHandlerTest, RefusesRangesBeyondTheBlob) {
  for (const std::string& range : {absl::StrCat("bytes=", bytes_.size(), "-"), std::string("bytes=500-0"),
                                   absl::StrCat("bytes=", bytes_.size() + 1, "-", bytes_.size() + 2)}) {
    const RawResponse response = registry_.Call("GET", Path(digest_), "", absl::StrCat("Range: ", range, "\r\n"));
    EXPECT_EQ(response.status, 416) << range;
    EXPECT_EQ(response.Field("content-range"), absl::StrCat("bytes */", bytes_.size())) << range;
    EXPECT_EQ(ErrorCode(response), "RANGE_INVALID") << range;
  }
}

TEST_P(BlobHandlerTest, IgnoresRangesThatDoNotApply) {
  for (const std::string& fields :
       {std::string("Range: bytes=0-5,5-6\r\n"), std::string("Range: lines=0-1\r\n"),
        std::string("Range: bytes=a-b\r\n"), std::string("Range: bytes=0-1\r\nIf-Range: \"other\"\r\n")}) {
    const RawResponse response = registry_.Call("GET", Path(digest_), "", fields);
    EXPECT_EQ(response.status, 200) << fields;
    EXPECT_EQ(response.body == bytes_, true) << fields;
  }
  const RawResponse part = registry_.Call(
      "GET", Path(digest_), "", absl::StrCat("Range: bytes=0-1\r\nIf-Range: \"", digest_.ToString(), "\"\r\n"));
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(registry_.Call("HEAD", Path(digest_), "", "Range: bytes=0-1\r\n").status, 200);
}

TEST_P(BlobHandlerTest, RespondsNotModifiedToAMatchingEntityTag) {
  const std::string text = digest_.ToString();
  for (const std::string& tag : {"\"" + text + "\"", text, "W/\"" + text + "\"", std::string("*")}) {
    const RawResponse response = registry_.Call("GET", Path(digest_), "", absl::StrCat("If-None-Match: ", tag, "\r\n"));
    EXPECT_EQ(response.status, 304) << tag;
    EXPECT_EQ(response.body, "") << tag;
    EXPECT_EQ(response.Field("etag"), absl::StrCat("\"", text, "\"")) << tag;
  }
  EXPECT_EQ(registry_.Call("GET", Path(digest_), "", "If-None-Match: \"other\"\r\n").status, 200);
}

TEST_P(BlobHandlerTest, ChecksPreconditions) {
  const std::string other = "If-Match: \"other\"\r\n";
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    EXPECT_EQ(registry_.Call(method, Path(digest_), "", other).status, 412) << method;
    EXPECT_EQ(registry_.Call(method, Path(digest_, "b"), "", other).status, 404) << method;
  }
  EXPECT_EQ(registry_.Call("DELETE", Path(digest_), "", "If-None-Match: *\r\n").status, 412);
  EXPECT_EQ(registry_.Call("HEAD", Path(digest_), "", "If-Match: *\r\n").status, 200);
  EXPECT_EQ(
      registry_.Call("DELETE", Path(digest_), "", absl::StrCat("If-Match: \"", digest_.ToString(), "\"\r\n")).status,
      202);
}

TEST_P(BlobHandlerTest, FindsABlobOnlyInItsRepository) {
  EXPECT_EQ(ErrorCode(registry_.Call("GET", Path(digest_, "b"))), "BLOB_UNKNOWN");
  EXPECT_EQ(registry_.Call("HEAD", Path(digest_, "b")).status, 404);
  EXPECT_EQ(registry_.Call("DELETE", Path(digest_, "b")).status, 404);
}

TEST_P(BlobHandlerTest, DeletesFromOneRepositoryOnly) {
  registry_.PushBlob("b", bytes_);
  EXPECT_EQ(registry_.Call("DELETE", Path(digest_)).status, 202);
  EXPECT_EQ(registry_.Call("HEAD", Path(digest_)).status, 404);
  EXPECT_EQ(ErrorCode(registry_.Call("DELETE", Path(digest_))), "BLOB_UNKNOWN");
  EXPECT_EQ(registry_.Call("GET", Path(digest_, "b")).body == bytes_, true);
}

TEST(EmptyBlobTest, IsABlob) {
  TestRegistry registry;
  const Digest digest = registry.PushBlob("a", "");
  const RawResponse get = registry.Call("GET", Path(digest));
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.Field("content-length"), "0");
  EXPECT_EQ(registry.Call("HEAD", Path(digest)).Field("content-length"), "0");
  EXPECT_EQ(registry.Call("GET", Path(digest), "", "Range: bytes=0-0\r\n").status, 416);
}

TEST_P(BlobHandlerTest, NeverReturnsACorruptBlobWhole) {
  const Blob blob = Find(registry_, digest_);
  Damage(registry_, blob);

  const RawResponse get = registry_.Call("GET", Path(digest_));
  if (IsStreamed()) {
    EXPECT_EQ(get.status, 200);
    EXPECT_EQ(get.Field("content-length"), absl::StrCat(bytes_.size()));
    EXPECT_LT(get.body.size(), bytes_.size());
    EXPECT_GT(get.body.size(), 0u);
  } else {
    EXPECT_EQ(get.status, 500) << "detected before the first byte";
    EXPECT_EQ(ErrorCode(get), "UNKNOWN");
  }
  EXPECT_THAT(registry_.services().maintenance()->damages(),
              testing::ElementsAre(testing::Pair(blob.digest, blob.storage_key)));
  EXPECT_EQ(registry_.Call("GET", Path(digest_)).status, 500) << "known to be corrupt";
  EXPECT_EQ(registry_.services().maintenance()->damages().size(), 2u);
}

TEST_P(BlobHandlerTest, VerifiesABlobAgainAfterADay) {
  registry_.services().clock()->Advance(absl::Hours(25));
  EXPECT_TRUE(registry_.Call("GET", Path(digest_)).body == bytes_);
  EXPECT_TRUE(registry_.Call("GET", Path(digest_)).body == bytes_);
  EXPECT_TRUE(registry_.services().maintenance()->damages().empty());
  Damage(registry_, Find(registry_, digest_));
  const RawResponse get = registry_.Call("GET", Path(digest_));
  EXPECT_EQ(get.status, IsStreamed() ? 200 : 500);
  EXPECT_LT(get.body.size(), bytes_.size());
}

TEST_P(BlobHandlerTest, ReportsAMissingObject) {
  const Blob blob = Find(registry_, digest_);
  ASSERT_OK(registry_.services().blobs()->storage().Quarantine(blob.storage_key));
  registry_.services().maintenance()->FailWith(absl::UnavailableError("away"));
  const RawResponse get = registry_.Call("GET", Path(digest_));
  EXPECT_EQ(get.status, 500) << "also if the damage cannot be reported";
  EXPECT_THAT(registry_.services().maintenance()->damages(),
              testing::ElementsAre(testing::Pair(blob.digest, blob.storage_key)));
}

}  // namespace
}  // namespace entrepot::gateway::api
