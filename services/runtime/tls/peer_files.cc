#include "services/runtime/tls/peer_files.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/ssl/context.hpp"
#include "services/runtime/files/file_contents.h"
#include "services/runtime/tls/certificate_pair.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {

namespace ssl = boost::asio::ssl;

std::vector<std::string> PeerFilePaths(const config::v1::PeerTls& tls) {
  return {tls.certificate_file(), tls.private_key_file(), tls.ca_file()};
}

absl::StatusOr<double> CheckPeerFileContents(const config::v1::PeerTls& tls,
                                             const absl::StatusOr<std::vector<std::string>>& contents) {
  if (!contents.ok()) return absl::InvalidArgumentError(contents.status().message());
  ssl::context context(ssl::context::tls);
  RETURN_IF_ERROR(UseCertificatePair(
      {tls.certificate_file(), tls.private_key_file(), (*contents)[kPeerCertificate], (*contents)[kPeerPrivateKey]},
      &context));
  const std::string& ca = (*contents)[kPeerCa];
  boost::system::error_code error;
  context.add_certificate_authority(boost::asio::buffer(ca), error);
  // The function reports no error if there is no certificate.
  if (error || !absl::StrContains(ca, "-----BEGIN CERTIFICATE-----")) {
    return absl::InvalidArgumentError(absl::StrCat(tls.ca_file(), " contains no usable PEM certificate"));
  }
  return ExpirySeconds(context);
}

absl::Status CheckPeerFiles(const config::v1::PeerTls& tls) {
  std::vector<std::string> contents;
  for (const std::string& path : PeerFilePaths(tls)) {
    ASSIGN_OR_RETURN(contents.emplace_back(), ReadFileContents(path, kConfiguredFileBytesMax));
  }
  return CheckPeerFileContents(tls, contents).status();
}

}  // namespace entrepot::runtime
