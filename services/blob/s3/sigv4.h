#ifndef ENTREPOT_SERVICES_BLOB_S3_SIGV4_H_
#define ENTREPOT_SERVICES_BLOB_S3_SIGV4_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// AWS Signature Version 4, as S3 and STS want it.
namespace entrepot::blob::s3 {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  // Of temporary credentials.
  std::string session_token;
  // When they end; infinite for permanent ones.
  absl::Time expires_at = absl::InfiniteFuture();
};

struct SigningScope {
  std::string region;
  std::string service = "s3";
};

struct RequestToSign {
  std::string method;
  // With the port, if the URL has one.
  std::string host;
  // Encoded (EncodePath()), beginning with a slash.
  std::string path;
  // Not encoded.
  Fields query = {};
  // All of them are signed, and `host`.
  Fields headers = {};
  // Lower-case hex SHA-256 of the body, or kUnsignedPayload.
  std::string payload_hash;
};

inline constexpr absl::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// Percent-encodes all but A-Z a-z 0-9 - . _ ~.
std::string EncodeComponent(absl::string_view text);
// The same, but keeps slashes.
std::string EncodePath(absl::string_view path);
// "a=1&b=", sorted and encoded.
std::string EncodeQuery(Fields query);

// Lower-case hex.
std::string Sha256Hex(absl::string_view bytes);

// The headers that authenticate the request, to be sent with those of `request`: x-amz-date, x-amz-content-sha256 (of
// S3), x-amz-security-token (of temporary credentials) and Authorization.
Fields SignHeaders(const RequestToSign& request, const Credentials& credentials, const SigningScope& scope,
                   absl::Time now);

// The encoded query of a URL that performs the request for `lifetime` (at most seven days) without any header but host.
std::string PresignQuery(const RequestToSign& request, const Credentials& credentials, const SigningScope& scope,
                         absl::Time now, absl::Duration lifetime);

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_SIGV4_H_
