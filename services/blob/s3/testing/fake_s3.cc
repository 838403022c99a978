#include "services/blob/s3/testing/fake_s3.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/blob/s3/s3_bucket.h"
#include "services/blob/s3/s3_xml.h"
#include "services/status/oci_error.h"

namespace entrepot::blob::s3 {
namespace {

std::string Decoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string HttpTime(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

std::string ListTime(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()); }

struct ByteSpan {
  uint64_t first = 0;
  uint64_t last = 0;
};

// Of "bytes=1-5".
ByteSpan SpanOf(absl::string_view range) {
  const std::pair<std::string, std::string> ends =
      absl::StrSplit(absl::StripPrefix(range, "bytes="), absl::MaxSplits('-', 1));
  ByteSpan span;
  (void)absl::SimpleAtoi(ends.first, &span.first);
  (void)absl::SimpleAtoi(ends.second, &span.last);
  return span;
}

class CannedResponse : public WireResponse {
 public:
  CannedResponse(int status, std::map<std::string, std::string> headers, std::string body, size_t cut_at)
      : status_(status), headers_(std::move(headers)), body_(std::move(body)), cut_at_(cut_at) {}

  int status() const override { return status_; }
  const std::map<std::string, std::string>& headers() const override { return headers_; }
  absl::StatusOr<size_t> Read(char* data, size_t size) override {
    if (read_ >= cut_at_) return OciError(OciErrorCode::kUnavailable, "the connection was cut");
    const size_t count = std::min({size, body_.size() - read_, cut_at_ - read_});
    std::memcpy(data, body_.data() + read_, count);
    read_ += count;
    return count;
  }

 private:
  const int status_;
  const std::map<std::string, std::string> headers_;
  const std::string body_;
  const size_t cut_at_;
  size_t read_ = 0;
};

}  // namespace

FakeS3::Answer FakeS3::Error(int status, const std::string& code) {
  return {.status = status, .body = absl::StrCat("<?xml version=\"1.0\"?>\n<Error><Code>", code, "</Code></Error>")};
}

absl::StatusOr<std::unique_ptr<WireResponse>> FakeS3::Send(const WireRequest& wire) {
  absl::string_view url = wire.url;
  if (!absl::ConsumePrefix(&url, options_.endpoint)) return OciError(OciErrorCode::kUnavailable, "another host");
  const std::pair<absl::string_view, absl::string_view> target = absl::StrSplit(url, absl::MaxSplits('?', 1));
  const std::string path(target.first);
  std::string key = Decoded(path);
  if (!absl::StartsWith(key, "/bucket/")) return OciError(OciErrorCode::kUnavailable, "another bucket");
  key.erase(0, strlen("/bucket/"));
  Request request{.method = wire.method, .key = key, .query = {}, .name = "", .client = wire.client};
  for (const absl::string_view field : absl::StrSplit(target.second, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(field, absl::MaxSplits('=', 1));
    request.query[Decoded(parts.first)] = Decoded(parts.second);
  }
  // Without the random part of the key.
  request.name = absl::StrCat(request.method, " ", key.substr(0, key.find('/')));
  for (const char* name : {"uploads", "partNumber", "uploadId", "list-type", "delete"}) {
    if (request.query.contains(name)) {
      absl::StrAppend(&request.name, "?", name);
      break;
    }
  }
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : wire.headers) headers[absl::AsciiStrToLower(name)] = value;

  absl::MutexLock lock(&mutex_);
  requests_.push_back(request.name);
  const Lie lie = rule_ ? rule_(request) : Lie::kNone;
  Answer answer;
  const absl::Time now = clock_.Now() + options_.clock_ahead;
  absl::Time sent;
  std::string error;
  if (lie == Lie::kLost) return OciError(OciErrorCode::kUnavailable, "the connection was reset");
  if (lie == Lie::kSlowDown) {
    answer = Error(503, "SlowDown");
  } else if (lie == Lie::kInternalError) {
    answer = Error(500, "InternalError");
  } else if (lie == Lie::kLateError) {
    answer = Error(200, "InternalError");
    answer.body = absl::StrCat("\n\n", answer.body);
  } else if (lie == Lie::kDenied) {
    answer = Error(403, "AccessDenied");
  } else if (lie == Lie::kNoBucket) {
    answer = Error(404, "NoSuchBucket");
  } else if (lie == Lie::kProxy) {
    answer = Error(404, "");
    answer.body = "404 page not found\n";
  } else if (lie == Lie::kInvalidPart) {
    answer = Error(400, "InvalidPart");
  } else if (!absl::ParseTime("%E4Y%m%dT%H%M%SZ", headers["x-amz-date"], &sent, &error) ||
             absl::AbsDuration(now - sent) > absl::Minutes(15)) {
    answer = Error(403, "RequestTimeTooSkewed");
  } else if (!IsSigned(wire, headers, path, request.query)) {
    answer = Error(403, "SignatureDoesNotMatch");
  } else if (Sha256Hex(wire.body) != headers["x-amz-content-sha256"]) {
    answer = Error(400, "XAmzContentSHA256Mismatch");
  } else {
    answer = Serve(request, headers, wire.body);
  }
  if (lie == Lie::kAnswerLost) return OciError(OciErrorCode::kUnavailable, "the connection was reset");
  answer.headers["date"] = HttpTime(now);
  if (!answer.headers.contains("content-length")) answer.headers["content-length"] = absl::StrCat(answer.body.size());
  const size_t cut_at = lie == Lie::kCutBody ? answer.body.size() / 2 : answer.body.size() + 1;
  if (request.method == "HEAD") answer.body.clear();
  return std::make_unique<CannedResponse>(answer.status, answer.headers, answer.body, cut_at);
}

bool FakeS3::IsSigned(const WireRequest& request, const std::map<std::string, std::string>& headers,
                      const std::string& path, const std::map<std::string, std::string>& query) const {
  RequestToSign to_sign{.method = request.method,
                        .host = options_.endpoint.substr(strlen("http://")),
                        .path = path,
                        .query = Fields(query.begin(), query.end()),
                        .headers = {},
                        .payload_hash = headers.at("x-amz-content-sha256")};
  absl::Time sent;
  std::string error;
  if (!absl::ParseTime("%E4Y%m%dT%H%M%SZ", headers.at("x-amz-date"), &sent, &error)) return false;
  for (const auto& [name, value] : headers) {
    const bool added = name == "x-amz-date" || name == "x-amz-content-sha256" || name == "x-amz-security-token";
    if (absl::StartsWith(name, "x-amz-") && !added) to_sign.headers.emplace_back(name, value);
  }
  const Fields expected = SignHeaders(to_sign, options_.credentials, SigningScope{.region = "us-east-1"}, sent);
  return expected.back().second == headers.at("authorization");
}

FakeS3::Answer FakeS3::Serve(const Request& request, const std::map<std::string, std::string>& headers,
                             absl::string_view body) {
  if (request.key.empty() && request.query.contains("list-type")) return List(request);
  if (request.key.empty() && request.query.contains("delete")) return DeleteObjects(headers, body);
  if (request.query.contains("uploads") || request.query.contains("uploadId")) {
    return ServeUploads(request, headers, body);
  }
  if (request.method == "DELETE") {
    objects_.erase(request.key);
    return {.status = 204};
  }
  if (request.method == "PUT") {
    if (headers.contains("if-none-match")) {
      if (options_.refuses_conditions) return Error(501, "NotImplemented");
      if (options_.knows_conditions && objects_.contains(request.key)) return Error(412, "PreconditionFailed");
    }
    const auto source = headers.find("x-amz-copy-source");
    std::string bytes(body);
    if (source != headers.end()) {
      const auto from = objects_.find(Decoded(source->second).substr(strlen("/bucket/")));
      if (from == objects_.end()) return Error(404, "NoSuchKey");
      bytes = from->second.bytes;
    }
    Object object{.bytes = bytes, .etag = Md5Hex(bytes), .modified_at = clock_.Now()};
    Answer answer{.headers = {{"etag", absl::StrCat("\"", object.etag, "\"")}}};
    if (source != headers.end()) answer.body = "<CopyObjectResult></CopyObjectResult>";
    objects_[request.key] = std::move(object);
    return answer;
  }
  return Get(request, headers);
}

FakeS3::Answer FakeS3::Get(const Request& request, const std::map<std::string, std::string>& headers) {
  const auto found = objects_.find(request.key);
  if (found == objects_.end()) return request.method == "HEAD" ? Answer{.status = 404} : Error(404, "NoSuchKey");
  const Object& object = found->second;
  Answer answer{
      .headers = {{"etag", absl::StrCat("\"", object.etag, "\"")}, {"last-modified", HttpTime(object.modified_at)}},
      .body = object.bytes};
  if (const auto range = headers.find("range"); range != headers.end()) {
    const auto [first, last] = SpanOf(range->second);
    if (first >= object.bytes.size()) return Error(416, "InvalidRange");
    answer.status = 206;
    answer.body = object.bytes.substr(first, last - first + 1);
  }
  answer.headers["content-length"] = absl::StrCat(answer.body.size());
  return answer;
}

FakeS3::Answer FakeS3::List(const Request& request) {
  const auto text = [&](const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
  };
  const std::string prefix = text("prefix");
  const std::string start_after = text("start-after");
  size_t limit = 1000;
  (void)absl::SimpleAtoi(text("max-keys"), &limit);
  std::string entries;
  bool more = false;
  size_t count = 0;
  for (const auto& [key, object] : objects_) {
    if (!absl::StartsWith(key, prefix) || key <= start_after) continue;
    more = count == limit;
    if (more) break;
    ++count;
    absl::StrAppend(&entries, "<Contents><Key>", EscapeXml(key), "</Key><LastModified>", ListTime(object.modified_at),
                    "</LastModified><Size>", object.bytes.size(), "</Size></Contents>");
  }
  return {.body = absl::StrCat("<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><IsTruncated>",
                               more ? "true" : "false", "</IsTruncated>", entries, "</ListBucketResult>")};
}

FakeS3::Answer FakeS3::DeleteObjects(const std::map<std::string, std::string>& headers, absl::string_view body) {
  if (!options_.knows_bulk_deletes) return Error(501, "NotImplemented");
  const auto md5 = headers.find("content-md5");
  if (md5 == headers.end() || md5->second != absl::Base64Escape(absl::HexStringToBytes(Md5Hex(body)))) {
    return Error(400, "InvalidDigest");
  }
  const std::vector<absl::string_view> entries = FindAllXml(body, "Object");
  if (RootOfXml(body) != "Delete" || entries.empty() || entries.size() > 1000) return Error(400, "MalformedXML");
  std::string errors;
  for (const absl::string_view entry : entries) {
    const std::string key = TextOfXml(entry, "Key");
    if (protected_.contains(key)) {
      absl::StrAppend(&errors, "<Error><Key>", EscapeXml(key), "</Key><Code>AccessDenied</Code></Error>");
    } else {
      objects_.erase(key);
    }
  }
  return {.body = absl::StrCat("<?xml version=\"1.0\"?><DeleteResult>", errors, "</DeleteResult>")};
}

FakeS3::Answer FakeS3::ServeUploads(const Request& request, const std::map<std::string, std::string>& headers,
                                    absl::string_view body) {
  if (request.key.empty()) {
    std::string entries;
    for (const auto& [id, upload] : uploads_) {
      if (!absl::StartsWith(upload.key, request.query.at("prefix"))) continue;
      absl::StrAppend(&entries, "<Upload><Key>", upload.key, "</Key><UploadId>", id, "</UploadId><Initiated>",
                      ListTime(upload.begun_at), "</Initiated></Upload>");
    }
    return {.body = absl::StrCat("<ListMultipartUploadsResult>", entries, "</ListMultipartUploadsResult>")};
  }
  if (request.query.contains("uploads")) {
    const std::string id = absl::StrCat("upload", ++last_upload_);
    uploads_[id] = {.key = request.key, .parts = {}, .begun_at = clock_.Now()};
    return {.body = absl::StrCat("<InitiateMultipartUploadResult><UploadId>", id,
                                 "</UploadId></InitiateMultipartUploadResult>")};
  }
  const std::string id = request.query.at("uploadId");
  const auto upload = uploads_.find(id);
  if (request.method == "DELETE") {
    if (upload != uploads_.end()) uploads_.erase(upload);
    return {.status = 204};
  }
  if (request.method == "POST") {
    if (upload == uploads_.end() && completed_.contains(id) && !options_.forgets_uploads) {
      return {.body = "<CompleteMultipartUploadResult/>"};
    }
    if (headers.contains("if-none-match")) {
      if (options_.refuses_conditions) return Error(501, "NotImplemented");
      if (options_.knows_conditions && upload != uploads_.end() && objects_.contains(request.key)) {
        return Error(412, "PreconditionFailed");
      }
    }
    return Complete(id, body);
  }
  if (upload == uploads_.end()) return Error(404, "NoSuchUpload");
  int number = 0;
  (void)absl::SimpleAtoi(request.query.at("partNumber"), &number);
  std::string bytes(body);
  if (const auto source = headers.find("x-amz-copy-source"); source != headers.end()) {
    const auto from = objects_.find(Decoded(source->second).substr(strlen("/bucket/")));
    if (from == objects_.end()) return Error(404, "NoSuchKey");
    const ByteSpan span = SpanOf(headers.at("x-amz-copy-source-range"));
    bytes = from->second.bytes.substr(span.first, span.last - span.first + 1);
  }
  const Object part{.bytes = bytes, .etag = Md5Hex(bytes), .modified_at = clock_.Now()};
  upload->second.parts[number] = part;
  return {.headers = {{"etag", absl::StrCat("\"", part.etag, "\"")}},
          .body = absl::StrCat("<CopyPartResult><ETag>&quot;", part.etag, "&quot;</ETag></CopyPartResult>")};
}

FakeS3::Answer FakeS3::Complete(const std::string& upload_id, absl::string_view body) {
  const auto upload = uploads_.find(upload_id);
  if (upload == uploads_.end()) return Error(404, "NoSuchUpload");
  Object object{.bytes = "", .etag = "", .modified_at = clock_.Now()};
  std::vector<S3Part> etags;
  const std::vector<absl::string_view> parts = FindAllXml(body, "Part");
  int last = 0;
  for (const absl::string_view entry : parts) {
    int number = 0;
    (void)absl::SimpleAtoi(FindXml(entry, "PartNumber"), &number);
    if (number <= last) return Error(400, "InvalidPartOrder");
    last = number;
    const auto part = upload->second.parts.find(number);
    if (part == upload->second.parts.end() || TextOfXml(entry, "ETag") != absl::StrCat("\"", part->second.etag, "\"")) {
      return Error(400, "InvalidPart");
    }
    if (etags.size() + 1 < parts.size() && part->second.bytes.size() < options_.part_bytes_min) {
      return Error(400, "EntityTooSmall");
    }
    etags.push_back({static_cast<size_t>(number), part->second.etag});
    object.bytes += part->second.bytes;
  }
  if (etags.empty()) return Error(400, "MalformedXML");
  object.etag = EtagOfParts(etags);
  objects_[upload->second.key] = std::move(object);
  completed_[upload_id] = upload->second.key;
  uploads_.erase(upload);
  return {.body = "\n<?xml version=\"1.0\"?><CompleteMultipartUploadResult></CompleteMultipartUploadResult>"};
}

std::vector<std::string> FakeS3::Keys() {
  absl::MutexLock lock(&mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, object] : objects_) keys.push_back(key);
  return keys;
}

void FakeS3::Overwrite(const std::string& key, std::string bytes) {
  absl::MutexLock lock(&mutex_);
  Object& object = objects_[key];
  object.etag = Md5Hex(bytes);
  object.bytes = std::move(bytes);
  object.modified_at = clock_.Now();
}

}  // namespace entrepot::blob::s3
