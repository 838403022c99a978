#include "tests/hostile/request_grammar.h"

#include "absl/strings/str_cat.h"
#include "services/core/digester.h"

namespace entrepot::tests {
namespace {

constexpr size_t kLocationsMax = 64;

constexpr const char* kMethods[] = {"GET", "GET", "GET", "HEAD", "PUT", "PUT", "POST", "POST", "PATCH", "DELETE"};
constexpr const char* kOddMethods[] = {"TRACE", "CONNECT", "OPTIONS", "get", "BREW", "GET\t", "G\x01T", ""};
constexpr const char* kNames[] = {"a", "a/b", "library/nginx", "blobs/uploads", "manifests", "tags/list", "x-y.z_w"};
constexpr const char* kOddNames[] = {"A",    "..",   "a/../b", "a//b", "%2e%2e", "a%2Fb", "a%252Fb", "-a",
                                     "a__b", "a%00", "a%ff",   "",     "a%",     "/",     "a;b",     "_catalog"};
constexpr const char* kTags[] = {"latest", "v1", "v1.0", "_x", "sha256-0"};
constexpr const char* kOddTags[] = {".x", "-x", "a b", "a%20b", "a:b", "%0d%0aX:y", "", "a/b", "@"};
constexpr const char* kAlgorithms[] = {"sha256:", "sha512:", "SHA256:", "md5:", ":", "sha256", ""};
constexpr const char* kNumbers[] = {
    "0",   "1",   "2",  "100", "-1", "abc", "", "18446744073709551615", "18446744073709551616", "9223372036854775808",
    "1e3", "0x1", "+1", " 1",  "00"};
constexpr const char* kMediaTypes[] = {"application/vnd.oci.image.manifest.v1+json",
                                       "application/vnd.oci.image.index.v1+json",
                                       "application/vnd.docker.distribution.manifest.v2+json",
                                       "application/vnd.docker.distribution.manifest.list.v2+json",
                                       "application/vnd.docker.distribution.manifest.v1+json",
                                       "application/octet-stream",
                                       "text/plain; charset=\"",
                                       "nonsense",
                                       ""};
constexpr const char* kRanges[] = {"bytes=0-9",
                                   "bytes=-5",
                                   "bytes=5-",
                                   "bytes=9-0",
                                   "bytes=a-b",
                                   "bytes=0-1,3-4",
                                   "items=0-1",
                                   "bytes=-0",
                                   "bytes=",
                                   "0-9",
                                   "bytes=0-18446744073709551615",
                                   "bytes=,,,",
                                   "bytes 0-9",
                                   "bytes=99999999999999999999-"};
constexpr const char* kContentRanges[] = {"0-9",   "0-0", "5-3", "a-b", "bytes 0-3/4", "0-18446744073709551615",
                                          "10-19", "-",   ""};
constexpr const char* kOddFields[] = {"Expect: 100-continue\r\n",
                                      "Expect: nonsense\r\n",
                                      "Host: second\r\n",
                                      "Content-Encoding: gzip\r\n",
                                      "If-None-Match: *\r\n",
                                      "If-None-Match: \"sha256:0\"\r\n",
                                      "Authorization: Bearer x.y.z\r\n",
                                      "Authorization: Basic !!!\r\n",
                                      "X-Forwarded-Proto: https\r\n",
                                      "Origin: http://other\r\n",
                                      "Origin: null\r\n",
                                      "Sec-Fetch-Site: cross-site\r\n",
                                      "X-Request-Id: \xff\xfe\r\n",
                                      "Connection: close\r\n",
                                      "Connection: upgrade\r\nUpgrade: h2c\r\n",
                                      "Accept: */*, ,,;q=x\r\n",
                                      "X : y\r\n",
                                      " folded\r\n",
                                      "no colon\r\n",
                                      "X: a\rb\r\n",
                                      "X: y\n",
                                      "Trailer: x\r\n"};
constexpr const char* kManifestParts[] = {R"("schemaVersion":2)",
                                          R"("schemaVersion":1)",
                                          R"("mediaType":"application/vnd.oci.image.manifest.v1+json")",
                                          R"("mediaType":"application/vnd.oci.image.index.v1+json")",
                                          R"("config":null)",
                                          R"("layers":[])",
                                          R"("manifests":[])",
                                          R"("annotations":{"a":"b"})",
                                          R"("annotations":{"a":1})",
                                          R"("artifactType":"application/x")",
                                          R"("subject":{})",
                                          R"("layers":[{"mediaType":"a/b","digest":"sha256:0","size":-1}])",
                                          R"("x":1e999)",
                                          R"("x":"\ud800")",
                                          R"("x":)"};

}  // namespace

bool RequestGrammar::Chance(double probability) {
  return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

size_t RequestGrammar::Below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(random_); }

std::string RequestGrammar::RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(Below(256));
  return bytes;
}

std::string RequestGrammar::Name() {
  if (Chance(0.8)) return Pick(kNames);
  if (Chance(0.1)) return std::string(Below(9000), 'a');
  if (Chance(0.1)) return RandomBytes(Below(20));
  return Pick(kOddNames);
}

std::string RequestGrammar::TagText() {
  if (Chance(0.8)) return Pick(kTags);
  return Chance(0.2) ? std::string(Below(200), 't') : Pick(kOddTags);
}

std::string RequestGrammar::DigestText() {
  if (Chance(0.5)) return ComputeDigest(DigestAlgorithm::kSha256, Pick(kTags)).ToString();
  if (Chance(0.3)) return ComputeDigest(DigestAlgorithm::kSha512, Pick(kTags)).ToString();
  return absl::StrCat(Pick(kAlgorithms), std::string(Below(140), Chance(0.8) ? 'a' : '/'));
}

std::string RequestGrammar::Number() { return Pick(kNumbers); }

std::string RequestGrammar::UploadTarget() {
  std::string location =
      absl::StrCat("/v2/", Name(), "/blobs/uploads/", std::string(Chance(0.8) ? 32 : Below(40), 'f'));
  if (!locations_.empty() && Chance(0.7)) location = locations_[Below(locations_.size())];
  return location;
}

std::string RequestGrammar::Target() {
  switch (Below(12)) {
    case 0:
      return "/v2/";
    case 1:
      return "/v2/_catalog";
    case 2:
      return absl::StrCat("/v2/", Name(), "/tags/list");
    case 3:
      return absl::StrCat("/v2/", Name(), "/referrers/", DigestText());
    case 4:
    case 5:
      return absl::StrCat("/v2/", Name(), "/manifests/", Chance(0.5) ? TagText() : DigestText());
    case 6:
    case 7:
      return absl::StrCat("/v2/", Name(), "/blobs/", DigestText());
    case 8:
      return absl::StrCat("/v2/", Name(), "/blobs/uploads/");
    case 9:
    case 10:
      return UploadTarget();
    default:
      return Chance(0.5) ? absl::StrCat("/", RandomBytes(Below(30))) : absl::StrCat("http://localhost/v2/", Name());
  }
}

std::string RequestGrammar::Query() {
  std::string query;
  for (size_t count = Below(3); count > 0; --count) {
    absl::StrAppend(&query, query.empty() ? "?" : "&");
    switch (Below(9)) {
      case 0:
      case 1:
      case 2:
        absl::StrAppend(&query, "digest=", DigestText());
        break;
      case 3:
        absl::StrAppend(&query, "n=", Number());
        break;
      case 4:
        absl::StrAppend(&query, "last=", TagText());
        break;
      case 5:
        absl::StrAppend(&query, "mount=", DigestText(), "&from=", Name());
        break;
      case 6:
        absl::StrAppend(&query, "artifactType=", Pick(kMediaTypes));
        break;
      case 7:
        absl::StrAppend(&query, "tag=", TagText(), "&tag=", TagText());
        break;
      default:
        absl::StrAppend(&query, RandomBytes(Below(10)));
    }
  }
  return query;
}

std::string RequestGrammar::ManifestBody() {
  std::string body = "{";
  for (size_t count = Below(6); count > 0; --count) {
    absl::StrAppend(&body, body.size() > 1 ? "," : "", Pick(kManifestParts));
  }
  body += "}";
  if (Chance(0.05)) body = std::string(Below(3000), '[');
  if (Chance(0.1)) body.resize(Below(body.size() + 1));
  return body;
}

std::string RequestGrammar::Body() {
  if (Chance(0.4)) return Pick(kTags);  // The content of a digest of DigestText().
  if (Chance(0.5)) return ManifestBody();
  return RandomBytes(Below(Chance(0.02) ? 100'000 : 200));
}

std::string RequestGrammar::Fields() {
  std::string fields;
  if (Chance(0.5)) absl::StrAppend(&fields, "Content-Type: ", Pick(kMediaTypes), "\r\n");
  if (Chance(0.2)) absl::StrAppend(&fields, "Range: ", Pick(kRanges), "\r\n");
  if (Chance(0.2)) absl::StrAppend(&fields, "Content-Range: ", Pick(kContentRanges), "\r\n");
  if (Chance(0.1)) fields += Pick(kOddFields);
  if (Chance(0.002)) absl::StrAppend(&fields, "X: ", std::string(Below(100'000), 'x'), "\r\n");
  return fields;
}

bool RequestGrammar::AppendBody(const std::string& body, std::string* request) {
  if (Chance(0.85)) {
    absl::StrAppend(request, "Content-Length: ", body.size(), "\r\n\r\n", body);
    return false;
  }
  if (Chance(0.5)) {
    absl::StrAppend(request, "Transfer-Encoding: chunked\r\n\r\n");
    if (!body.empty()) absl::StrAppend(request, absl::Hex(body.size()), "\r\n", body, "\r\n");
    absl::StrAppend(request, Chance(0.9) ? "0\r\n\r\n" : "zz\r\n");
    return true;
  }
  absl::StrAppend(request, "Content-Length: ", Number(), "\r\n", Chance(0.3) ? "Transfer-Encoding: chunked\r\n" : "",
                  "\r\n", body);
  return true;
}

GeneratedRequest RequestGrammar::Next() {
  GeneratedRequest request;
  request.method = Chance(0.95) ? Pick(kMethods) : Pick(kOddMethods);
  request.bytes = absl::StrCat(request.method, " ", Target(), Query(), Chance(0.98) ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n",
                               Chance(0.98) ? Chance(0.98) ? "Host: localhost\r\n" : "Host: other\r\n" : "", Fields());
  const bool has_body = request.method != "GET" && request.method != "HEAD";
  request.may_be_incomplete = AppendBody(has_body || Chance(0.05) ? Body() : "", &request.bytes);
  // Names and methods may contain line ends, so any bytes may be read as framing fields.
  if (Chance(0.02)) {
    request.bytes.resize(Below(request.bytes.size() + 1));
    request.may_be_incomplete = true;
  }
  return request;
}

void RequestGrammar::LearnLocation(absl::string_view location) {
  if (locations_.size() < kLocationsMax) {
    locations_.emplace_back(location);
  } else {
    locations_[Below(kLocationsMax)] = std::string(location);
  }
}

}  // namespace entrepot::tests
