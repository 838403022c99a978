#include "services/ctl/testing/content_registry.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/core/digester.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr char kAddress[] = "http://localhost:5000";
constexpr char kImageType[] = "application/vnd.oci.image.manifest.v1+json";

std::string Key(const std::string& repository, const std::string& name) { return absl::StrCat(repository, " ", name); }

std::string Header(const HttpRequest& request, absl::string_view name) {
  for (const auto& [field, value] : request.headers) {
    if (field == name) return value;
  }
  return "";
}

std::string Descriptor(const std::string& content) {
  return absl::StrCat(R"({"digest":")", ComputeDigest(DigestAlgorithm::kSha256, content).ToString(), R"(","size":)",
                      content.size(), "}");
}

HttpAnswer NotFound() { return {.status = 404, .body = R"({"errors":[{"code":"UNKNOWN","message":"not here"}]})"}; }

}  // namespace

RegistryClient::Options ContentRegistryOptions() { return {.registry = kAddress}; }

Digest ContentRegistry::AddBlob(const std::string& repository, const std::string& content) {
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, content);
  contents_[Key(repository, digest.ToString())] = content;
  return digest;
}

Digest ContentRegistry::AddManifest(const std::string& repository, const std::string& content, const std::string& tag) {
  const Digest digest = AddBlob(repository, content);
  if (!tag.empty()) tags_[Key(repository, tag)] = digest.ToString();
  return digest;
}

Digest ContentRegistry::AddImage(const std::string& repository, const std::vector<std::string>& layers,
                                 const std::string& tag) {
  std::vector<std::string> descriptors;
  for (const std::string& layer : layers) {
    AddBlob(repository, layer);
    descriptors.push_back(Descriptor(layer));
  }
  AddBlob(repository, "{}");
  return AddManifest(repository,
                     absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kImageType, R"(","config":)", Descriptor("{}"),
                                  R"(,"layers":[)", absl::StrJoin(descriptors, ","), "]}"),
                     tag);
}

bool ContentRegistry::Has(const std::string& repository, const Digest& digest) const {
  return contents_.count(Key(repository, digest.ToString())) > 0;
}

std::string ContentRegistry::Content(const std::string& repository, const Digest& digest) const {
  const auto found = contents_.find(Key(repository, digest.ToString()));
  return found == contents_.end() ? "" : found->second;
}

std::string ContentRegistry::TagOf(const std::string& repository, const std::string& tag) const {
  const auto found = tags_.find(Key(repository, tag));
  return found == tags_.end() ? "" : found->second;
}

int ContentRegistry::Count(absl::string_view method, absl::string_view part) const {
  int count = 0;
  for (const HttpRequest& request : requests) {
    count += request.method == method && absl::StrContains(request.url, part) ? 1 : 0;
  }
  return count;
}

absl::StatusOr<HttpAnswer> ContentRegistry::Send(const HttpRequest& request) {
  requests.push_back(request);
  if (intercept) {
    if (auto answer = intercept(request); answer.has_value()) return *std::move(answer);
  }
  absl::string_view path = request.url;
  if (!absl::ConsumePrefix(&path, absl::StrCat(kAddress, "/v2/"))) return NotFound();
  for (const absl::string_view kind : {"/manifests/", "/blobs/uploads/", "/blobs/", "/referrers/"}) {
    const size_t at = path.find(kind);
    if (at == absl::string_view::npos) continue;
    const std::string repository(path.substr(0, at));
    const std::string rest(path.substr(at + kind.size()));
    if (kind == "/manifests/") return Manifests(request, repository, rest);
    if (kind == "/blobs/uploads/") return Uploads(request, repository, rest);
    if (kind == "/blobs/") return Blobs(request, repository, rest);
    std::vector<std::string> list;
    for (const Digest& digest : referrers[Key(repository, rest)]) {
      list.push_back(absl::StrCat(R"({"digest":")", digest.ToString(), R"("})"));
    }
    return HttpAnswer{200, absl::StrCat(R"({"manifests":[)", absl::StrJoin(list, ","), "]}")};
  }
  return NotFound();
}

HttpAnswer ContentRegistry::Manifests(const HttpRequest& request, const std::string& repository,
                                      const std::string& reference) {
  if (request.method == "PUT") {
    const Digest digest = AddManifest(repository, request.body, absl::StrContains(reference, ':') ? "" : reference);
    if (absl::StrContains(reference, ':') && digest.ToString() != reference) return {.status = 400};
    return {.status = 201};
  }
  const std::string digest = absl::StrContains(reference, ':') ? reference : TagOf(repository, reference);
  const auto found = contents_.find(Key(repository, digest));
  if (found == contents_.end()) return NotFound();
  return {.status = 200,
          .body = request.method == "HEAD" ? "" : found->second,
          .fields = {{"content-type", kImageType}, {"docker-content-digest", digest}}};
}

absl::StatusOr<HttpAnswer> ContentRegistry::Blobs(const HttpRequest& request, const std::string& repository,
                                                  const std::string& digest) {
  const auto found = contents_.find(Key(repository, digest));
  if (found == contents_.end()) return NotFound();
  const std::string& content = found->second;
  if (request.method == "HEAD") return HttpAnswer{200, "", {{"content-length", absl::StrCat(content.size())}}};
  std::string range = Header(request, "Range");
  uint64_t offset = 0;
  if (!range.empty() && !absl::SimpleAtoi(absl::StripSuffix(absl::StripPrefix(range, "bytes="), "-"), &offset)) {
    return HttpAnswer{416};
  }
  HttpAnswer answer{range.empty() ? 200 : 206, content.substr(offset)};
  if (request.on_bytes && request.on_bytes_status == answer.status) {
    RETURN_IF_ERROR(request.on_bytes(answer.body));
    answer.body.clear();
  }
  return answer;
}

HttpAnswer ContentRegistry::Uploads(const HttpRequest& request, const std::string& repository, const std::string& id) {
  const std::vector<std::string> parts = absl::StrSplit(id, absl::MaxSplits("?digest=", 1));
  const std::string digest = parts.size() == 2 ? absl::StrReplaceAll(parts[1], {{"%3A", ":"}}) : "";
  if (request.method == "POST" && !digest.empty()) {
    return {.status = AddBlob(repository, request.body).ToString() == digest ? 201 : 400};
  }
  if (request.method == "POST") {
    const std::string location = absl::StrCat("/v2/", repository, "/blobs/uploads/", ++upload_count_);
    uploads_[absl::StrCat(upload_count_)] = "";
    return {.status = 202, .fields = {{"location", location}}};
  }
  const auto upload = uploads_.find(parts[0]);
  if (upload == uploads_.end()) return NotFound();
  std::string& bytes = upload->second;
  if (request.method == "DELETE") {
    uploads_.erase(upload);
    return {.status = 204};
  }
  if (request.method == "PATCH") {
    if (!absl::StartsWith(Header(request, "Content-Range"), absl::StrCat(bytes.size(), "-"))) return {.status = 416};
    bytes += request.body;
  }
  if (request.method == "PUT") {
    const std::string content = bytes + request.body;
    if (ComputeDigest(DigestAlgorithm::kSha256, content).ToString() != digest) return {.status = 400};
    AddBlob(repository, content);
    uploads_.erase(upload);
    return {.status = 201};
  }
  return {.status = request.method == "PATCH" ? 202 : 204,
          .fields = {{"range", absl::StrCat("0-", bytes.empty() ? 0 : bytes.size() - 1)}}};
}

}  // namespace entrepot::ctl
