#include "services/ctl/client/content_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/core/access_scope.h"
#include "services/core/digester.h"
#include "services/core/text/percent_encoding.h"
#include "services/core/text/strict_json.h"
#include "services/outbound/url.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr char kManifestTypes[] =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, "
    "*/*";
constexpr char kBytesType[] = "application/octet-stream";
constexpr int kRedirectsMax = 5;
constexpr int kUploadsMax = 3;
// Longer waits that a registry asks for are left to the next run.
constexpr absl::Duration kRetryAfterMax = absl::Minutes(1);
constexpr size_t kReferrersMax = 10'000;

bool IsMomentary(const absl::StatusOr<HttpAnswer>& answer) {
  if (!answer.ok()) return absl::IsUnavailable(answer.status());
  const int status = answer->status;
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

absl::Status StatusOf(const absl::StatusOr<HttpAnswer>& answer) {
  return answer.ok() ? AnswerError(*answer) : answer.status();
}

// The path in `<...>; rel="next"`; nullopt if there is none.
std::optional<std::string> NextPage(const HttpAnswer& answer) {
  const absl::string_view link = answer.Field("link");
  const size_t end = link.find('>');
  if (!absl::StartsWith(link, "<") || end == absl::string_view::npos || !absl::StrContains(link.substr(end), "next")) {
    return std::nullopt;
  }
  return std::string(link.substr(1, end - 1));
}

absl::Status OtherDigest(const Digest& expected, const Digest& found) {
  return absl::DataLossError(
      absl::StrCat("the bytes of the blob ", expected.ToString(), " have the digest ", found.ToString()));
}

std::string ScopesOf(const RepositoryName& repository, ContentClient::Access access) {
  const std::string scope = absl::StrCat("repository:", repository.ToString(),
                                         access == ContentClient::Access::kPull ? ":pull" : ":pull,push");
  return access == ContentClient::Access::kImport ? absl::StrCat(scope, " ", kAdministrationScope) : scope;
}

}  // namespace

// Counts attempts, and pauses between them.
class ContentClient::Attempts {
 public:
  explicit Attempts(const Options& options) : options_(options) {}

  void Begin() {
    failures_ = 0;
    pause_ = options_.pause_first;
  }
  // Pauses after a failure; false if there were too many.
  bool Again(const absl::StatusOr<HttpAnswer>& failure) {
    if (++failures_ >= options_.attempts_max) return false;
    absl::Duration pause = pause_;
    int seconds = 0;
    if (failure.ok() && absl::SimpleAtoi(failure->Field("retry-after"), &seconds) && seconds > 0) {
      pause = std::min(absl::Seconds(seconds), kRetryAfterMax);
    }
    absl::SleepFor(pause);
    pause_ = std::min(pause_ * 2, options_.pause_max);
    return true;
  }

 private:
  const Options& options_;
  int failures_ = 0;
  absl::Duration pause_ = options_.pause_first;
};

ContentClient::ContentClient(RegistryClient* registry, const RepositoryName& repository, Access access, Options options)
    : registry_(*registry),
      repository_(repository),
      access_(access),
      scope_(ScopesOf(repository, access)),
      options_(options) {}

std::string ContentClient::Path(absl::string_view kind, absl::string_view what) const {
  return absl::StrCat("/v2/", repository_.ToString(), "/", kind, "/", what);
}

absl::StatusOr<HttpAnswer> ContentClient::SendOnce(HttpRequest request) {
  if (access_ == Access::kImport) request.headers.emplace_back("Entrepot-Import", "true");
  return registry_.SendContent(std::move(request), scope_);
}

absl::StatusOr<HttpAnswer> ContentClient::Send(const HttpRequest& request) {
  Attempts attempts(options_);
  while (true) {
    absl::StatusOr<HttpAnswer> answer = SendOnce(request);
    if (!IsMomentary(answer) || !attempts.Again(answer)) return answer;
  }
}

absl::StatusOr<bool> ContentClient::Has(const std::string& path, HttpAnswer* answer) {
  ASSIGN_OR_RETURN(*answer, Send({.method = "HEAD", .url = path, .headers = {{"Accept", kManifestTypes}}}));
  if (answer->status == 404) return false;
  if (answer->status != 200) return AnswerError(*answer);
  return true;
}

absl::StatusOr<ContentManifest> ContentClient::GetManifest(const std::string& reference) {
  ASSIGN_OR_RETURN(HttpAnswer answer,
                   Send({.url = Path("manifests", reference), .headers = {{"Accept", kManifestTypes}}}));
  if (answer.status != 200) return AnswerError(answer);
  const absl::StatusOr<Digest> asked = Digest::Parse(reference);
  const absl::StatusOr<Digest> stated = asked.ok() ? asked : Digest::Parse(answer.Field("docker-content-digest"));
  const Digest digest = ComputeDigest(stated.ok() ? stated->algorithm() : DigestAlgorithm::kSha256, answer.body);
  if (stated.ok() && !(digest == *stated)) {
    return absl::DataLossError(
        absl::StrCat("the registry sent a manifest with the digest ", digest.ToString(), " for ", stated->ToString()));
  }
  return ContentManifest{digest, std::string(answer.Field("content-type")), std::move(answer.body)};
}

absl::StatusOr<bool> ContentClient::HasManifest(const Digest& digest) {
  HttpAnswer answer;
  return Has(Path("manifests", digest.ToString()), &answer);
}

absl::StatusOr<std::vector<Digest>> ContentClient::ListReferrers(const Digest& subject) {
  std::vector<Digest> referrers;
  std::optional<std::string> url = Path("referrers", subject.ToString());
  while (url.has_value()) {
    ASSIGN_OR_RETURN(const HttpAnswer answer, Send({.url = *url}));
    // A registry without this part of the API.
    if (answer.status == 404) return referrers;
    if (answer.status != 200) return AnswerError(answer);
    const absl::StatusOr<boost::json::value> page = ParseStrictJson(answer.body);
    const boost::json::value* const list =
        page.ok() && page->is_object() ? page->get_object().if_contains("manifests") : nullptr;
    if (list == nullptr || !list->is_array()) {
      return absl::FailedPreconditionError("the registry's list of referrers is not the expected JSON");
    }
    for (const boost::json::value& element : list->get_array()) {
      const boost::json::value* const text = element.is_object() ? element.get_object().if_contains("digest") : nullptr;
      if (text == nullptr || !text->is_string()) continue;
      absl::StatusOr<Digest> digest = Digest::Parse({text->get_string().data(), text->get_string().size()});
      if (digest.ok()) referrers.push_back(*std::move(digest));
    }
    if (referrers.size() > kReferrersMax) {
      return absl::FailedPreconditionError(
          absl::StrCat("the manifest ", subject.ToString(), " has more than ", kReferrersMax, " referrers"));
    }
    url = NextPage(answer);
  }
  return referrers;
}

absl::Status ContentClient::PutManifest(const std::string& reference, const std::string& media_type,
                                        const std::string& content) {
  ASSIGN_OR_RETURN(
      const HttpAnswer answer,
      Send({.method = "PUT", .url = Path("manifests", reference), .body = content, .content_type = media_type}));
  return answer.status == 201 ? absl::OkStatus() : AnswerError(answer);
}

absl::StatusOr<uint64_t> ContentClient::BlobSize(const Digest& digest) {
  HttpAnswer answer;
  ASSIGN_OR_RETURN(const bool has, Has(Path("blobs", digest.ToString()), &answer));
  if (!has) {
    return absl::NotFoundError(
        absl::StrCat("the repository ", repository_.ToString(), " does not have the blob ", digest.ToString()));
  }
  uint64_t size_bytes = 0;
  if (!absl::SimpleAtoi(answer.Field("content-length"), &size_bytes)) {
    return absl::FailedPreconditionError(absl::StrCat("the registry does not state the size of ", digest.ToString()));
  }
  return size_bytes;
}

absl::Status ContentClient::GetBlob(const Digest& digest, uint64_t size_bytes, uint64_t offset,
                                    const std::function<absl::Status(absl::string_view bytes)>& sink) {
  if (offset >= size_bytes) return absl::OkStatus();
  Attempts attempts(options_);
  absl::Status refused = absl::OkStatus();
  std::string url = Path("blobs", digest.ToString());
  int redirects = 0;
  while (true) {
    HttpRequest request{.url = url};
    if (offset > 0) request.headers.emplace_back("Range", absl::StrCat("bytes=", offset, "-"));
    request.on_bytes_status = offset > 0 ? 206 : 200;
    request.on_bytes = [&](absl::string_view bytes) -> absl::Status {
      if (bytes.size() > size_bytes - offset) {
        refused = absl::DataLossError(
            absl::StrCat("the registry sends more than the ", size_bytes, " bytes of ", digest.ToString()));
      } else {
        refused = sink(bytes);
      }
      if (!refused.ok()) return refused;
      offset += bytes.size();
      attempts.Begin();
      return absl::OkStatus();
    };
    const absl::StatusOr<HttpAnswer> answer = SendOnce(std::move(request));
    if (!refused.ok()) return refused;
    if (offset == size_bytes && answer.ok()) return absl::OkStatus();
    if (answer.ok() && outbound::IsRedirect(answer->status) && ++redirects <= kRedirectsMax) {
      ASSIGN_OR_RETURN(url, outbound::ResolveUrl(absl::StartsWith(url, "/") ? registry_.Url(url) : url,
                                                 std::string(answer->Field("location"))));
      continue;
    }
    const bool broke_off = answer.ok() && answer->status / 100 == 2;
    if (!IsMomentary(answer) && !broke_off) return StatusOf(answer);
    // Another answer to a new request may lead elsewhere.
    url = Path("blobs", digest.ToString());
    redirects = 0;
    if (attempts.Again(answer)) continue;
    if (!broke_off) return StatusOf(answer);
    return absl::UnavailableError(
        absl::StrCat("the registry sent only ", offset, " of ", size_bytes, " bytes of ", digest.ToString()));
  }
}

absl::Status ContentClient::PutBlob(const Digest& digest, uint64_t size_bytes, const ReadBlob& read,
                                    const std::function<void(uint64_t bytes)>& sent) {
  if (size_bytes <= options_.piece_bytes) {
    ASSIGN_OR_RETURN(std::string content, read(0, size_bytes));
    RETURN_IF_ERROR(PutSmallBlob(digest, std::move(content)));
    sent(size_bytes);
    return absl::OkStatus();
  }
  absl::Status status = absl::OkStatus();
  for (int i = 0; i < kUploadsMax; ++i) {
    status = PutPieces(digest, size_bytes, read, sent);
    if (!absl::IsAborted(status)) return status;
  }
  return absl::UnavailableError(status.message());
}

absl::Status ContentClient::PutSmallBlob(const Digest& digest, std::string content) {
  if (const Digest found = ComputeDigest(digest.algorithm(), content); !(found == digest)) {
    return OtherDigest(digest, found);
  }
  HttpRequest request{.method = "POST",
                      .url = absl::StrCat(Path("blobs", "uploads/?digest="), PercentEncode(digest.ToString())),
                      .body = std::move(content),
                      .content_type = kBytesType};
  ASSIGN_OR_RETURN(HttpAnswer answer, Send(request));
  if (answer.status == 202) {
    // A registry that takes no blob with the first request.
    const std::string location(answer.Field("location"));
    request.method = "PUT";
    request.url = absl::StrCat(location, absl::StrContains(location, '?') ? "&" : "?",
                               "digest=", PercentEncode(digest.ToString()));
    ASSIGN_OR_RETURN(answer, Send(request));
  }
  return answer.status == 201 ? absl::OkStatus() : AnswerError(answer);
}

absl::StatusOr<uint64_t> ContentClient::UploadOffset(std::string* location) {
  ASSIGN_OR_RETURN(const HttpAnswer answer, Send({.url = *location}));
  if (answer.status == 404) return absl::AbortedError("the registry has lost the upload session");
  if (answer.status / 100 != 2) return AnswerError(answer);
  if (!answer.Field("location").empty()) *location = std::string(answer.Field("location"));
  const std::vector<absl::string_view> range = absl::StrSplit(answer.Field("range"), '-');
  uint64_t last = 0;
  if (range.size() != 2 || !absl::SimpleAtoi(range[1], &last)) {
    return absl::FailedPreconditionError("the registry does not state how many bytes the upload session has");
  }
  // "0-0" is what a session without bytes has, too.
  return last == 0 ? 0 : last + 1;
}

absl::Status ContentClient::PutPieces(const Digest& digest, uint64_t size_bytes, const ReadBlob& read,
                                      const std::function<void(uint64_t bytes)>& sent) {
  ASSIGN_OR_RETURN(HttpAnswer answer,
                   Send({.method = "POST", .url = Path("blobs", "uploads/"), .content_type = kBytesType}));
  if (answer.status != 202) return AnswerError(answer);
  std::string location(answer.Field("location"));
  Digester digester(digest.algorithm());
  Attempts attempts(options_);
  uint64_t offset = 0;
  while (offset < size_bytes) {
    const size_t length = static_cast<size_t>(std::min<uint64_t>(options_.piece_bytes, size_bytes - offset));
    ASSIGN_OR_RETURN(std::string piece, read(offset, length));
    if (piece.size() != length)
      return absl::DataLossError(absl::StrCat("the blob ", digest.ToString(), " is too short"));
    if (const uint64_t hashed = digester.length_bytes(); hashed < offset + length) {
      digester.Update(absl::string_view(piece).substr(hashed - offset));
    }
    if (offset + length == size_bytes && !(digester.Current() == digest)) {
      SendOnce({.method = "DELETE", .url = location}).IgnoreError();
      return OtherDigest(digest, digester.Current());
    }
    const absl::StatusOr<HttpAnswer> patched =
        SendOnce({.method = "PATCH",
                  .url = location,
                  .body = std::move(piece),
                  .content_type = kBytesType,
                  .headers = {{"Content-Range", absl::StrCat(offset, "-", offset + length - 1)}}});
    if (patched.ok() && patched->status == 202) {
      if (!patched->Field("location").empty()) location = std::string(patched->Field("location"));
      offset += length;
      attempts.Begin();
    } else {
      const bool lost_step = patched.ok() && (patched->status == 404 || patched->status == 416);
      if (!IsMomentary(patched) && !lost_step) return StatusOf(patched);
      if (!attempts.Again(patched)) return StatusOf(patched);
      ASSIGN_OR_RETURN(const uint64_t kept, UploadOffset(&location));
      if (kept > offset + length) return absl::AbortedError("the upload session has bytes that were not sent");
      offset = kept;
    }
    sent(offset);
  }
  return EndUpload(location, digest);
}

absl::Status ContentClient::EndUpload(const std::string& location, const Digest& digest) {
  ASSIGN_OR_RETURN(const HttpAnswer answer,
                   Send({.method = "PUT",
                         .url = absl::StrCat(location, absl::StrContains(location, '?') ? "&" : "?",
                                             "digest=", PercentEncode(digest.ToString()))}));
  if (answer.status == 404) return absl::AbortedError("the registry has lost the upload session");
  return answer.status == 201 ? absl::OkStatus() : AnswerError(answer);
}

}  // namespace entrepot::ctl
