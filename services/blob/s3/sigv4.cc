#include "services/blob/s3/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace entrepot::blob::s3 {
namespace {

constexpr absl::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string Encode(absl::string_view text, absl::string_view kept) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || kept.find(c) != absl::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string Hmac(absl::string_view key, absl::string_view text) {
  std::string result(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), reinterpret_cast<unsigned char*>(result.data()), &size);
  result.resize(size);
  return result;
}

std::string TimeText(absl::Time now) { return absl::FormatTime("%Y%m%dT%H%M%SZ", now, absl::UTCTimeZone()); }

std::string ScopeText(const SigningScope& scope, absl::string_view time) {
  return absl::StrCat(time.substr(0, 8), "/", scope.region, "/", scope.service, "/aws4_request");
}

// Runs of spaces become one.
std::string Trimmed(std::string value) {
  absl::RemoveExtraAsciiWhitespace(&value);
  return value;
}

struct Canonical {
  std::string signed_headers;
  std::string text;
};

Canonical MakeCanonical(const RequestToSign& request, const std::string& query) {
  std::map<std::string, std::vector<std::string>> headers;
  headers["host"].push_back(request.host);
  for (const auto& [name, value] : request.headers) headers[absl::AsciiStrToLower(name)].push_back(Trimmed(value));
  std::vector<std::string> names;
  std::string lines;
  for (const auto& [name, values] : headers) {
    names.push_back(name);
    absl::StrAppend(&lines, name, ":", absl::StrJoin(values, ","), "\n");
  }
  Canonical canonical{.signed_headers = absl::StrJoin(names, ";"), .text = ""};
  canonical.text = absl::StrCat(request.method, "\n", request.path, "\n", query, "\n", lines, "\n",
                                canonical.signed_headers, "\n", request.payload_hash);
  return canonical;
}

std::string Signature(const Canonical& canonical, const Credentials& credentials, const SigningScope& scope,
                      const std::string& time) {
  std::string key = Hmac(absl::StrCat("AWS4", credentials.secret_access_key), absl::string_view(time).substr(0, 8));
  for (const absl::string_view part :
       {absl::string_view(scope.region), absl::string_view(scope.service), absl::string_view("aws4_request")}) {
    key = Hmac(key, part);
  }
  const std::string to_sign =
      absl::StrCat(kAlgorithm, "\n", time, "\n", ScopeText(scope, time), "\n", Sha256Hex(canonical.text));
  return absl::BytesToHexString(Hmac(key, to_sign));
}

}  // namespace

std::string EncodeComponent(absl::string_view text) { return Encode(text, "-._~"); }
std::string EncodePath(absl::string_view path) { return Encode(path, "-._~/"); }

std::string EncodeQuery(Fields query) {
  for (auto& [name, value] : query) {
    name = EncodeComponent(name);
    value = EncodeComponent(value);
  }
  std::sort(query.begin(), query.end());
  return absl::StrJoin(query, "&", absl::PairFormatter("="));
}

std::string Sha256Hex(absl::string_view bytes) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash, &size, EVP_sha256(), nullptr);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(hash), size));
}

Fields SignHeaders(const RequestToSign& request, const Credentials& credentials, const SigningScope& scope,
                   absl::Time now) {
  const std::string time = TimeText(now);
  Fields added = {{"x-amz-date", time}};
  if (scope.service == "s3") added.emplace_back("x-amz-content-sha256", request.payload_hash);
  if (!credentials.session_token.empty()) added.emplace_back("x-amz-security-token", credentials.session_token);
  RequestToSign whole = request;
  whole.headers.insert(whole.headers.end(), added.begin(), added.end());
  const Canonical canonical = MakeCanonical(whole, EncodeQuery(request.query));
  added.emplace_back("Authorization", absl::StrCat(kAlgorithm, " Credential=", credentials.access_key_id, "/",
                                                   ScopeText(scope, time), ", SignedHeaders=", canonical.signed_headers,
                                                   ", Signature=", Signature(canonical, credentials, scope, time)));
  return added;
}

std::string PresignQuery(const RequestToSign& request, const Credentials& credentials, const SigningScope& scope,
                         absl::Time now, absl::Duration lifetime) {
  const std::string time = TimeText(now);
  RequestToSign whole = request;
  whole.payload_hash = std::string(kUnsignedPayload);
  whole.headers.clear();
  whole.query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  whole.query.emplace_back("X-Amz-Credential", absl::StrCat(credentials.access_key_id, "/", ScopeText(scope, time)));
  whole.query.emplace_back("X-Amz-Date", time);
  whole.query.emplace_back("X-Amz-Expires", absl::StrCat(absl::ToInt64Seconds(lifetime)));
  whole.query.emplace_back("X-Amz-SignedHeaders", "host");
  if (!credentials.session_token.empty()) {
    whole.query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  const std::string query = EncodeQuery(whole.query);
  const Canonical canonical = MakeCanonical(whole, query);
  return absl::StrCat(query, "&X-Amz-Signature=", Signature(canonical, credentials, scope, time));
}

}  // namespace entrepot::blob::s3
