#include "services/blob/s3/s3_bucket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/blob/s3/s3_xml.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {
namespace {

// S3 may take minutes to complete an upload or a copy.
constexpr absl::Duration kLongSilence = absl::Minutes(10);
// Clients wait for these. A read that takes longer is repeated by S3ObjectReader.
constexpr absl::Duration kHeadSilence = absl::Seconds(5);
constexpr absl::Duration kReadSilence = absl::Seconds(10);
// Health checks count as failed after 5 s.
constexpr absl::Duration kProbeSilence = absl::Seconds(2);
constexpr size_t kListMax = 1000;
constexpr int kUploadPagesMax = 100;

std::string WithoutQuotes(absl::string_view etag) {
  absl::ConsumePrefix(&etag, "W/");
  absl::ConsumePrefix(&etag, "\"");
  absl::ConsumeSuffix(&etag, "\"");
  return std::string(etag);
}

absl::Time ParseTime(absl::string_view format, const std::string& text) {
  absl::Time time;
  std::string error;
  return absl::ParseTime(format, text, &time, &error) ? time : absl::InfinitePast();
}

absl::Time HttpTime(const std::string& text) { return ParseTime("%a, %d %b %E4Y %H:%M:%S GMT", text); }

bool IsMd5(absl::string_view etag) {
  return etag.size() == 32 &&
         std::all_of(etag.begin(), etag.end(), [](unsigned char c) { return absl::ascii_isxdigit(c); });
}

absl::Status UploadGone() {
  return OciError(OciErrorCode::kBlobUploadUnknown, "the S3 server has ended the multipart upload");
}

// Whether the server does not know If-None-Match.
bool RefusesConditions(const S3Answer& answer) { return answer.status == 501 || answer.error_code == "NotImplemented"; }

}  // namespace

absl::Status S3Bucket::Probe(const std::string& key) {
  // The answer to a HEAD has no reason.
  const S3Request request{
      .operation = "GetObject", .method = "GET", .key = key, .idle_timeout = kProbeSilence, .tries_max = 1};
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  return answer.ok() ? absl::OkStatus() : client_.ErrorOf(request, answer);
}

absl::StatusOr<S3Head> S3Bucket::Head(const std::string& key) {
  const S3Request request{.operation = "HeadObject", .method = "HEAD", .key = key, .idle_timeout = kHeadSilence};
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (answer.status == 404 || answer.status == 403) {
    // The answer to a HEAD does not tell whether the object is missing or the bucket.
    const S3Request get{.operation = "GetObject",
                        .method = "GET",
                        .key = key,
                        .headers = {{"Range", "bytes=0-0"}},
                        .idle_timeout = kHeadSilence};
    ASSIGN_OR_RETURN(const S3Answer reason, client_.Send(get));
    if (!reason.ok()) return client_.ErrorOf(get, reason);
    return OciError(OciErrorCode::kUnavailable, "the S3 server answered HEAD and GET of an object differently");
  }
  if (!answer.ok()) return client_.ErrorOf(request, answer);
  S3Head head{.etag = WithoutQuotes(answer.Header("etag")), .modified_at = HttpTime(answer.Header("last-modified"))};
  if (!absl::SimpleAtoi(answer.Header("content-length"), &head.size_bytes)) {
    return OciError(OciErrorCode::kUnavailable, "the S3 server did not state an object's size");
  }
  return head;
}

absl::StatusOr<std::string> S3Bucket::Get(const std::string& key, uint64_t size_bytes_max) {
  const S3Request request{.operation = "GetObject", .method = "GET", .key = key};
  std::unique_ptr<WireResponse> body;
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Stream(request, &body));
  if (!answer.ok()) return client_.ErrorOf(request, answer);
  uint64_t size = 0;
  if (!absl::SimpleAtoi(answer.Header("content-length"), &size) || size > size_bytes_max) {
    return absl::DataLossError(absl::StrCat("the object ", key, " has an unexpected size"));
  }
  std::string bytes(size, '\0');
  for (size_t done = 0; done < bytes.size();) {
    ASSIGN_OR_RETURN(const size_t count, body->Read(bytes.data() + done, bytes.size() - done));
    if (count == 0) return OciError(OciErrorCode::kUnavailable, "the S3 server cut an object");
    done += count;
  }
  return bytes;
}

absl::StatusOr<std::unique_ptr<WireResponse>> S3Bucket::GetRange(const std::string& key, const S3Head& head,
                                                                 uint64_t offset_bytes, uint64_t length_bytes,
                                                                 Pace pace, const std::string& client) {
  S3Request request{.operation = "GetObject",
                    .method = "GET",
                    .key = key,
                    .paced_by_client = pace == Pace::kClient,
                    .client = client};
  if (pace == Pace::kClient) request.idle_timeout = kReadSilence;
  const bool whole = offset_bytes == 0 && length_bytes == head.size_bytes;
  if (!whole) {
    request.headers.emplace_back("Range", absl::StrCat("bytes=", offset_bytes, "-", offset_bytes + length_bytes - 1));
  }
  std::unique_ptr<WireResponse> body;
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Stream(request, &body));
  if (answer.status == 416) return absl::DataLossError(absl::StrCat("the object ", key, " is shorter than it was"));
  if (!answer.ok()) return client_.ErrorOf(request, answer);
  uint64_t length = 0;
  if (answer.status != (whole ? 200 : 206) || !absl::SimpleAtoi(answer.Header("content-length"), &length)) {
    return OciError(OciErrorCode::kUnavailable,
                    absl::StrCat("the S3 server answered a GET with ", answer.status, " and no usable length"));
  }
  if (WithoutQuotes(answer.Header("etag")) != head.etag || length != length_bytes) {
    return absl::DataLossError(absl::StrCat("the object ", key, " is another one than it was"));
  }
  return body;
}

absl::StatusOr<bool> S3Bucket::Put(const std::string& key, absl::string_view bytes, bool if_absent) {
  const bool condition = if_absent && conditions_.load();
  S3Request request{.operation = "PutObject", .method = "PUT", .key = key, .headers = object_headers_, .body = bytes};
  if (condition) request.headers.emplace_back("If-None-Match", "*");
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (answer.ok()) return true;
  if (answer.status == 412) return false;
  if (condition && RefusesConditions(answer)) {
    conditions_ = false;
    return Put(key, bytes, if_absent);
  }
  return client_.ErrorOf(request, answer);
}

absl::StatusOr<Conditions> S3Bucket::ProbeConditions(const std::string& key) {
  // The first one may find the object of an earlier probe, the second one must find it.
  for (int i = 0; i < 2; ++i) {
    ASSIGN_OR_RETURN(const bool written, Put(key, "", /*if_absent=*/true));
    if (!conditions_.load()) return Conditions::kRefused;
    if (!written) return Conditions::kKept;
  }
  conditions_ = false;
  return Conditions::kIgnored;
}

absl::Status S3Bucket::Delete(const std::string& key) {
  const S3Request request{.operation = "DeleteObject", .method = "DELETE", .key = key};
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (answer.ok() || answer.error_code == "NoSuchKey") return absl::OkStatus();
  return client_.ErrorOf(request, answer);
}

std::vector<absl::Status> S3Bucket::DeleteAll(const std::vector<std::string>& keys) {
  std::vector<absl::Status> statuses(keys.size());
  if (keys.size() > kSingleDeletes && deletes_in_bulk_.load()) {
    const absl::Status status = DeleteInBulk(keys, &statuses);
    if (status.ok()) return statuses;
    if (!absl::IsUnimplemented(status)) return std::vector<absl::Status>(keys.size(), status);
    deletes_in_bulk_ = false;
  }
  for (size_t i = 0; i < keys.size(); ++i) statuses[i] = Delete(keys[i]);
  return statuses;
}

absl::Status S3Bucket::DeleteInBulk(const std::vector<std::string>& keys, std::vector<absl::Status>* statuses) {
  std::string document = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
  for (const std::string& key : keys) absl::StrAppend(&document, "<Object><Key>", EscapeXml(key), "</Key></Object>");
  document += "</Delete>";
  const std::string md5 = absl::Base64Escape(absl::HexStringToBytes(Md5Hex(document)));
  const S3Request request{.operation = "DeleteObjects",
                          .method = "POST",
                          .query = {{"delete", ""}},
                          .headers = {{"Content-MD5", md5}},
                          .body = document,
                          .idle_timeout = absl::Minutes(1)};
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (!answer.ok()) {
    const absl::Status status = client_.ErrorOf(request, answer);
    const bool unknown = (answer.status == 400 || answer.status == 405 || answer.status == 501) &&
                         answer.error_code != "MalformedXML" && answer.error_code != "InvalidDigest";
    return unknown ? absl::UnimplementedError(status.message()) : status;
  }
  if (RootOfXml(answer.body) != "DeleteResult") {
    return OciError(OciErrorCode::kUnavailable, "the S3 server did not answer with the result of a deletion");
  }
  for (const absl::string_view error : FindAllXml(answer.body, "Error")) {
    const auto key = std::find(keys.begin(), keys.end(), TextOfXml(error, "Key"));
    const std::string code = TextOfXml(error, "Code");
    if (code == "NoSuchKey") continue;
    const absl::Status status =
        OciError(OciErrorCode::kUnavailable,
                 absl::StrCat("the S3 server could not delete an object: ", code, ": ", TextOfXml(error, "Message")));
    // An error that names none of the keys may be about any of them.
    if (key == keys.end()) return status;
    (*statuses)[key - keys.begin()] = status;
  }
  return absl::OkStatus();
}

std::string S3Bucket::CopySource(const std::string& key) const {
  return EncodePath(absl::StrCat("/", client_.target().bucket, "/", key));
}

absl::Status S3Bucket::Copy(const std::string& from, const std::string& to, uint64_t size_bytes) {
  if (size_bytes > copy_limits_.bytes_max) return CopyParts(from, to, size_bytes);
  S3Request request{.operation = "CopyObject",
                    .method = "PUT",
                    .key = to,
                    .headers = object_headers_,
                    .idle_timeout = kLongSilence,
                    .may_fail_late = true};
  request.headers.emplace_back("x-amz-copy-source", CopySource(from));
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  return answer.ok() ? absl::OkStatus() : client_.ErrorOf(request, answer);
}

absl::Status S3Bucket::CopyParts(const std::string& from, const std::string& to, uint64_t size_bytes) {
  ASSIGN_OR_RETURN(const std::string upload_id, CreateUpload(to));
  std::vector<S3Part> parts;
  absl::Status status;
  for (uint64_t offset = 0; status.ok() && offset < size_bytes; offset += copy_limits_.piece_bytes) {
    S3Request request{.operation = "UploadPartCopy",
                      .method = "PUT",
                      .key = to,
                      .query = {{"partNumber", absl::StrCat(parts.size() + 1)}, {"uploadId", upload_id}},
                      .idle_timeout = kLongSilence,
                      .may_fail_late = true};
    request.headers.emplace_back("x-amz-copy-source", CopySource(from));
    request.headers.emplace_back(
        "x-amz-copy-source-range",
        absl::StrCat("bytes=", offset, "-", std::min(offset + copy_limits_.piece_bytes, size_bytes) - 1));
    absl::StatusOr<S3Answer> answer = client_.Send(request);
    status = answer.ok() && !answer->ok() ? client_.ErrorOf(request, *answer) : answer.status();
    if (status.ok()) parts.push_back({parts.size() + 1, WithoutQuotes(TextOfXml(answer->body, "ETag"))});
  }
  if (status.ok()) {
    absl::StatusOr<CompleteResult> result = Complete(to, upload_id, parts);
    status = result.status();
    if (status.ok() && *result != CompleteResult::kCompleted) {
      status = OciError(OciErrorCode::kUnavailable, "a copy of an object could not be completed");
    }
  }
  if (!status.ok()) Abort(to, upload_id).IgnoreError();
  return status;
}

absl::StatusOr<S3Listing> S3Bucket::List(const std::string& prefix, const std::string& start_after, size_t limit) {
  S3Request request{
      .operation = "ListObjectsV2",
      .method = "GET",
      .query = {{"list-type", "2"}, {"prefix", prefix}, {"max-keys", absl::StrCat(std::min(limit, kListMax))}}};
  if (!start_after.empty()) request.query.emplace_back("start-after", start_after);
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (!answer.ok()) return client_.ErrorOf(request, answer);
  if (RootOfXml(answer.body) != "ListBucketResult") {
    return OciError(OciErrorCode::kUnavailable, "the S3 server did not answer with a list of objects");
  }
  S3Listing listing;
  for (const absl::string_view entry : FindAllXml(answer.body, "Contents")) {
    S3Listed object{.key = TextOfXml(entry, "Key"),
                    .modified_at = ParseTime(absl::RFC3339_full, TextOfXml(entry, "LastModified"))};
    if (object.key <= start_after || !absl::SimpleAtoi(FindXml(entry, "Size"), &object.size_bytes)) continue;
    listing.objects.push_back(std::move(object));
  }
  listing.more = FindXml(answer.body, "IsTruncated") == "true";
  return listing;
}

absl::StatusOr<std::string> S3Bucket::CreateUpload(const std::string& key) {
  const S3Request request{.operation = "CreateMultipartUpload",
                          .method = "POST",
                          .key = key,
                          .query = {{"uploads", ""}},
                          .headers = object_headers_};
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (!answer.ok()) return client_.ErrorOf(request, answer);
  std::string id = TextOfXml(answer.body, "UploadId");
  if (id.empty()) return OciError(OciErrorCode::kUnavailable, "the S3 server began a multipart upload without an id");
  return id;
}

absl::StatusOr<std::string> S3Bucket::UploadPart(const std::string& key, const std::string& upload_id, size_t number,
                                                 absl::string_view bytes) {
  const S3Request request{.operation = "UploadPart",
                          .method = "PUT",
                          .key = key,
                          .query = {{"partNumber", absl::StrCat(number)}, {"uploadId", upload_id}},
                          .body = bytes,
                          .idle_timeout = absl::Minutes(1)};
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (answer.error_code == "NoSuchUpload") return UploadGone();
  if (!answer.ok()) return client_.ErrorOf(request, answer);
  std::string etag = WithoutQuotes(answer.Header("etag"));
  if (etag.empty()) return OciError(OciErrorCode::kUnavailable, "the S3 server took a part without giving its ETag");
  return etag;
}

absl::StatusOr<CompleteResult> S3Bucket::Complete(const std::string& key, const std::string& upload_id,
                                                  const std::vector<S3Part>& parts) {
  std::string document = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const S3Part& part : parts) {
    absl::StrAppend(&document, "<Part><PartNumber>", part.number, "</PartNumber><ETag>&quot;", EscapeXml(part.etag),
                    "&quot;</ETag></Part>");
  }
  document += "</CompleteMultipartUpload>";
  const bool condition = conditions_.load();
  S3Request request{.operation = "CompleteMultipartUpload",
                    .method = "POST",
                    .key = key,
                    .query = {{"uploadId", upload_id}},
                    .body = document,
                    .idle_timeout = kLongSilence,
                    .may_fail_late = true};
  if (condition) request.headers.emplace_back("If-None-Match", "*");
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (answer.ok()) {
    // The 200 is sent before the result is known.
    if (RootOfXml(answer.body) == "CompleteMultipartUploadResult") return CompleteResult::kCompleted;
    return OciError(OciErrorCode::kUnavailable, "the S3 server did not tell whether an upload is complete");
  }
  if (answer.error_code == "NoSuchUpload") return CompleteResult::kNoSuchUpload;
  if (answer.status == 412) return CompleteResult::kExists;
  if (answer.error_code == "InvalidPart" || answer.error_code == "InvalidPartOrder")
    return CompleteResult::kInvalidPart;
  if (condition && RefusesConditions(answer)) {
    conditions_ = false;
    return Complete(key, upload_id, parts);
  }
  return client_.ErrorOf(request, answer);
}

absl::Status S3Bucket::Abort(const std::string& key, const std::string& upload_id) {
  const S3Request request{
      .operation = "AbortMultipartUpload", .method = "DELETE", .key = key, .query = {{"uploadId", upload_id}}};
  ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
  if (answer.ok() || answer.error_code == "NoSuchUpload") return absl::OkStatus();
  return client_.ErrorOf(request, answer);
}

absl::StatusOr<std::vector<S3OpenUpload>> S3Bucket::ListUploads(const std::string& prefix) {
  std::vector<S3OpenUpload> uploads;
  std::string key_marker;
  for (int page = 0; page < kUploadPagesMax; ++page) {
    S3Request request{.operation = "ListMultipartUploads",
                      .method = "GET",
                      .query = {{"uploads", ""}, {"prefix", prefix}, {"max-uploads", absl::StrCat(kListMax)}}};
    // The key alone: not all servers accept their own markers for the id.
    if (!key_marker.empty()) request.query.emplace_back("key-marker", key_marker);
    ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
    if (!answer.ok()) return client_.ErrorOf(request, answer);
    for (const absl::string_view entry : FindAllXml(answer.body, "Upload")) {
      uploads.push_back({.key = TextOfXml(entry, "Key"),
                         .upload_id = TextOfXml(entry, "UploadId"),
                         .begun_at = ParseTime(absl::RFC3339_full, TextOfXml(entry, "Initiated"))});
    }
    const std::string next = TextOfXml(answer.body, "NextKeyMarker");
    if (FindXml(answer.body, "IsTruncated") != "true" || next <= key_marker) break;
    key_marker = next;
  }
  return uploads;
}

std::string Md5Hex(absl::string_view bytes) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash, &size, EVP_md5(), nullptr);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(hash), size));
}

std::string EtagOfParts(const std::vector<S3Part>& parts) {
  std::string digests;
  for (const S3Part& part : parts) {
    if (!IsMd5(part.etag)) return "";
    digests += absl::HexStringToBytes(part.etag);
  }
  return absl::StrCat(Md5Hex(digests), "-", parts.size());
}

}  // namespace entrepot::blob::s3
