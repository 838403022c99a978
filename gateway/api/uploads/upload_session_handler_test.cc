#include "gateway/api/uploads/upload_session_handler.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"

namespace entrepot::gateway::api {
namespace {

Digest Sha256(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }

std::string BlobPath(const Digest& digest) { return absl::StrCat("/v2/a/blobs/", digest.ToString()); }

std::string Range(size_t first, size_t last) { return absl::StrCat("Content-Range: ", first, "-", last, "\r\n"); }

class UploadSessionHandlerTest : public testing::Test {
 protected:
  RawResponse Patch(absl::string_view bytes, absl::string_view fields = "") {
    return registry_.Call("PATCH", session_, bytes, fields);
  }
  RawResponse Put(const Digest& digest, absl::string_view bytes = "", absl::string_view fields = "") {
    return registry_.Call("PUT", absl::StrCat(session_, "?digest=", digest.ToString()), bytes, fields);
  }
  std::string StoredRange() { return registry_.Call("GET", session_).Field("range"); }

  TestRegistry registry_;
  const std::string session_ = registry_.StartUpload("a");
};

TEST_F(UploadSessionHandlerTest, AcceptsABlobInChunks) {
  EXPECT_EQ(StoredRange(), "0-0");
  RawResponse response = Patch("hello", Range(0, 4));
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.Field("range"), "0-4");
  EXPECT_EQ(response.Field("location"), session_);
  EXPECT_TRUE(absl::EndsWith(session_, response.Field("docker-upload-uuid")));
  EXPECT_EQ(Patch(" wor", Range(5, 8)).Field("range"), "0-8");
  EXPECT_EQ(StoredRange(), "0-8");
  response = Put(Sha256("hello world"), "ld", Range(9, 10));
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.Field("location"), BlobPath(Sha256("hello world")));
  EXPECT_EQ(response.Field("docker-content-digest"), Sha256("hello world").ToString());
  EXPECT_EQ(registry_.Call("GET", BlobPath(Sha256("hello world"))).body, "hello world");
}

TEST_F(UploadSessionHandlerTest, AcceptsAStreamOfUnknownLength) {
  const std::string bytes(1'000'001, 'y');
  RawResponse response = registry_.CallChunked("PATCH", session_, bytes);
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.Field("range"), "0-1000000");
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha512, bytes);
  EXPECT_EQ(Put(digest).status, 201);
  EXPECT_EQ(registry_.Call("GET", BlobPath(digest)).body == bytes, true);
}

TEST_F(UploadSessionHandlerTest, AcceptsAnEmptyChunk) {
  const RawResponse response = Patch("");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.Field("range"), "0-0");
  EXPECT_EQ(Put(Sha256("")).status, 201);
}

TEST_F(UploadSessionHandlerTest, RefusesChunksOutOfOrderWithTheOffsetToContinueAt) {
  for (const char* method : {"PATCH", "PUT"}) {
    const std::string target = absl::StrCat(session_, "?digest=", Sha256("x").ToString());
    const RawResponse response = registry_.Call(method, target, "world", Range(5, 9));
    EXPECT_EQ(response.status, 416) << method;
    EXPECT_EQ(ErrorCode(response), "RANGE_INVALID") << method;
    EXPECT_EQ(response.Field("location"), session_) << method;
    // The session is empty, so there is no last byte.
    EXPECT_EQ(response.Field("range"), "(none)") << method;
  }
  EXPECT_EQ(Patch("hello", Range(0, 4)).status, 202);
  // A gap, an overlap, a replay.
  for (const size_t first : {6, 4, 0}) {
    const RawResponse response = Patch("12345", Range(first, first + 4));
    EXPECT_EQ(response.status, 416) << first;
    EXPECT_EQ(response.Field("location"), session_) << first;
    EXPECT_EQ(response.Field("range"), "0-4") << first;
  }
  EXPECT_EQ(StoredRange(), "0-4");
  EXPECT_EQ(Put(Sha256("hello")).status, 201);
}

TEST_F(UploadSessionHandlerTest, RefusesInvalidRanges) {
  struct Case {
    const char* range;
    int status;
    const char* code;
  };
  for (const Case& c :
       {Case{"5-3", 416, "RANGE_INVALID"}, Case{"a-b", 400, "BLOB_UPLOAD_INVALID"},
        Case{"bytes 0-3/4", 400, "BLOB_UPLOAD_INVALID"}, Case{"0-18446744073709551616", 400, "BLOB_UPLOAD_INVALID"},
        Case{"-4", 400, "BLOB_UPLOAD_INVALID"}, Case{"0-", 400, "BLOB_UPLOAD_INVALID"},
        Case{"", 400, "BLOB_UPLOAD_INVALID"}}) {
    const RawResponse response = Patch("abcd", absl::StrCat("Content-Range: ", c.range, "\r\n"));
    EXPECT_EQ(response.status, c.status) << c.range;
    EXPECT_EQ(ErrorCode(response), c.code) << c.range;
  }
  // The session has not changed.
  EXPECT_EQ(StoredRange(), "0-0");
  EXPECT_EQ(Patch("abcd", Range(0, 3)).status, 202);
}

TEST_F(UploadSessionHandlerTest, RefusesABodyWithAnotherLengthThanItsRange) {
  for (const size_t last : {2, 4, 100}) {
    const RawResponse response = Patch("abcd", Range(0, last));
    EXPECT_EQ(response.status, 400) << last;
    EXPECT_EQ(ErrorCode(response), "SIZE_INVALID") << last;
  }
  EXPECT_EQ(StoredRange(), "0-0");
  // The length of a chunked body is known at its end only.
  EXPECT_EQ(ErrorCode(registry_.CallChunked("PATCH", session_, "abcd", Range(0, 4))), "SIZE_INVALID");
}

TEST_F(UploadSessionHandlerTest, EndsAStreamAtTheEndOfItsRange) {
  EXPECT_EQ(ErrorCode(registry_.CallChunked("PATCH", session_, "abcdefgh", Range(0, 3))), "SIZE_INVALID");
  EXPECT_EQ(StoredRange(), "0-3");
  EXPECT_EQ(Patch("efgh", Range(4, 7)).status, 202);
  EXPECT_EQ(Put(Sha256("abcdefgh")).status, 201);
}

TEST_F(UploadSessionHandlerTest, KeepsTheBytesOfABodyThatBrokeOff) {
  const std::string part(300'000, 'p');
  {
    http::testing::RawClient client(registry_.port());
    client.Send(absl::StrCat("PATCH ", session_, " HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n", part));
    client.EndSending();
    const auto response = client.Receive();
    ASSERT_TRUE(response.has_value());
    EXPECT_EQ(response->status, 400);
  }
  EXPECT_EQ(StoredRange(), "0-299999");
  EXPECT_EQ(Patch("rest", Range(300'000, 300'003)).status, 202);
  EXPECT_EQ(Put(Sha256(part + "rest")).status, 201);
}

TEST_F(UploadSessionHandlerTest, NeedsExactlyOneDigestToComplete) {
  EXPECT_EQ(Patch("abc").status, 202);
  const std::string digest = Sha256("abc").ToString();
  for (const std::string& query :
       {std::string(), std::string("?digest="), std::string("?digest=abc"), "?digest=" + digest + "&digest=" + digest,
        "?digest=sha256:" + std::string(64, 'A'), "?digest=sha1:" + std::string(40, '0')}) {
    const RawResponse response = registry_.Call("PUT", session_ + query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(ErrorCode(response), "DIGEST_INVALID") << query;
  }
  // The request may be repeated.
  EXPECT_EQ(Put(Sha256("abc")).status, 201);
}

TEST_F(UploadSessionHandlerTest, RefusesAWrongDigest) {
  EXPECT_EQ(Patch("abc").status, 202);
  EXPECT_EQ(ErrorCode(Put(Sha256("abd"))), "DIGEST_INVALID");
  EXPECT_EQ(registry_.Call("HEAD", BlobPath(Sha256("abc"))).status, 404);
  EXPECT_EQ(registry_.Call("HEAD", BlobPath(Sha256("abd"))).status, 404);
}

TEST_F(UploadSessionHandlerTest, ARepeatedPutGivesTheSameAnswer) {
  const RawResponse first = Put(Sha256("abc"), "abc");
  EXPECT_EQ(first.status, 201);
  // A client repeats it with its bytes, or without if they came with a PATCH.
  for (const char* bytes : {"abc", ""}) {
    const RawResponse again = Put(Sha256("abc"), bytes);
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.Field("location"), first.Field("location"));
    EXPECT_EQ(again.Field("docker-content-digest"), Sha256("abc").ToString());
  }
  EXPECT_EQ(registry_.Call("GET", session_).status, 404);
  EXPECT_EQ(ErrorCode(Put(Sha256("other"), "other")), "BLOB_UPLOAD_UNKNOWN");
  EXPECT_EQ(registry_.Call("DELETE", BlobPath(Sha256("abc"))).status, 202);
  EXPECT_EQ(ErrorCode(Put(Sha256("abc"), "abc")), "BLOB_UPLOAD_UNKNOWN");
}

TEST_F(UploadSessionHandlerTest, ARepeatedPutGivesTheSameAnswerIfTheBlobWasThereBefore) {
  registry_.PushBlob("b", "abc");
  EXPECT_EQ(Put(Sha256("abc"), "abc").status, 201);
  EXPECT_EQ(Put(Sha256("abc"), "abc").status, 201);
}

TEST_F(UploadSessionHandlerTest, ARepeatedPutDoesNotFindTheBlobOfAnotherRepository) {
  registry_.PushBlob("b", "abc");
  EXPECT_EQ(registry_.Call("DELETE", session_).status, 204);
  EXPECT_EQ(ErrorCode(Put(Sha256("abc"), "abc")), "BLOB_UPLOAD_UNKNOWN");
  EXPECT_EQ(registry_.Call("HEAD", BlobPath(Sha256("abc"))).status, 404);
}

TEST_F(UploadSessionHandlerTest, ARepeatedPutOfAWholeBlobReplacesTheBytesThatCame) {
  const std::string blob(400'000, 'p');
  for (const absl::string_view range : {absl::string_view(), absl::string_view("Content-Range: 0-399999\r\n")}) {
    const std::string session = registry_.StartUpload("a");
    const std::string target = absl::StrCat(session, "?digest=", Sha256(blob).ToString());
    {
      http::testing::RawClient client(registry_.port());
      client.Send(absl::StrCat("PUT ", target, " HTTP/1.1\r\nHost: a\r\n", range, "Content-Length: 400000\r\n\r\n",
                               blob.substr(7)));
      client.EndSending();
      const auto response = client.Receive();
      ASSERT_TRUE(response.has_value());
      EXPECT_EQ(response->status, 400);
    }
    EXPECT_EQ(registry_.Call("GET", session).Field("range"), "0-399992");
    EXPECT_EQ(registry_.Call("PUT", target, blob, range).status, 201) << range;
  }
}

TEST_F(UploadSessionHandlerTest, ARepeatedPatchLearnsWhereToContinue) {
  EXPECT_EQ(Patch("hello", Range(0, 4)).status, 202);
  const RawResponse again = Patch("hello", Range(0, 4));
  EXPECT_EQ(again.status, 416);
  EXPECT_EQ(again.Field("range"), "0-4");
  EXPECT_EQ(again.Field("location"), session_);
  EXPECT_EQ(Patch(" world", Range(5, 10)).status, 202);
  EXPECT_EQ(Put(Sha256("hello world")).status, 201);
}

TEST_F(UploadSessionHandlerTest, IsCancelled) {
  EXPECT_EQ(Patch("abc").status, 202);
  EXPECT_EQ(registry_.Call("DELETE", session_).status, 204);
  EXPECT_EQ(ErrorCode(registry_.Call("GET", session_)), "BLOB_UPLOAD_UNKNOWN");
  EXPECT_EQ(ErrorCode(Patch("def")), "BLOB_UPLOAD_UNKNOWN");
  EXPECT_EQ(ErrorCode(Put(Sha256("abc"))), "BLOB_UPLOAD_UNKNOWN");
  // As a client does that did not get the answer.
  EXPECT_EQ(registry_.Call("DELETE", session_).status, 204);
  EXPECT_EQ(ErrorCode(registry_.Call("DELETE", "/v2/a/blobs/uploads/00000000000000000000000000000000")),
            "BLOB_UPLOAD_UNKNOWN");
}

TEST_F(UploadSessionHandlerTest, IsKnownOnlyInItsRepository) {
  std::string elsewhere = session_;
  elsewhere.replace(4, 1, "b");
  for (const char* method : {"GET", "PATCH", "DELETE"}) {
    EXPECT_EQ(ErrorCode(registry_.Call(method, elsewhere)), "BLOB_UPLOAD_UNKNOWN") << method;
  }
  EXPECT_EQ(ErrorCode(registry_.Call("PUT", absl::StrCat(elsewhere, "?digest=", Sha256("").ToString()))),
            "BLOB_UPLOAD_UNKNOWN");
  EXPECT_EQ(StoredRange(), "0-0");
}

TEST_F(UploadSessionHandlerTest, LetsOneOfTwoClientsAppend) {
  http::testing::RawClient first(registry_.port());
  first.Send(
      absl::StrCat("PATCH ", session_, " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  // The session is checked before the bytes are requested.
  EXPECT_EQ(first.ReceiveBytes(12), "HTTP/1.1 100");
  const RawResponse second = Patch("abcd");
  EXPECT_EQ(second.status, 416);
  EXPECT_EQ(second.Field("range"), "(none)");
  first.Send("efgh");
  first.ReceiveBytes(std::string(" Continue\r\n\r\n").size());
  const auto response = first.Receive();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(Put(Sha256("efgh")).status, 201);
}

TEST_F(UploadSessionHandlerTest, RefusesBeforeTheBodyIsSent) {
  http::testing::RawClient client(registry_.port());
  client.Send(
      "PATCH /v2/a/blobs/uploads/00000000000000000000000000000000 HTTP/1.1\r\nHost: a\r\n"
      "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  const auto response = client.Receive();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 404);
}

TEST(UploadLimitTest, DoesNotCountBytesThatARepeatedPutReplaces) {
  config::v1::Limits limits;
  limits.set_blob_bytes_max(10);
  TestRegistry registry(limits);
  const std::string target = absl::StrCat(registry.StartUpload("a"), "?digest=", Sha256("12345678").ToString());
  {
    http::testing::RawClient client(registry.port());
    client.Send(absl::StrCat("PUT ", target, " HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n1234567"));
    client.EndSending();
    ASSERT_TRUE(client.Receive().has_value());
  }
  EXPECT_EQ(registry.Call("PUT", target, "12345678").status, 201);
}

TEST(UploadLimitTest, CountsTheBytesInTheSession) {
  config::v1::Limits limits;
  limits.set_blob_bytes_max(10);
  TestRegistry registry(limits);
  const std::string session = registry.StartUpload("a");
  EXPECT_EQ(registry.Call("PATCH", session, "12345678").status, 202);
  const RawResponse response = registry.Call("PATCH", session, "901");
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(ErrorCode(response), "SIZE_INVALID");
  EXPECT_EQ(registry.CallChunked("PATCH", session, "901").status, 413);
  EXPECT_EQ(registry.Call("GET", session).Field("range"), "0-9");
}

}  // namespace
}  // namespace entrepot::gateway::api
