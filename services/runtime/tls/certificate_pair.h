#ifndef ENTREPOT_SERVICES_RUNTIME_TLS_CERTIFICATE_PAIR_H_
#define ENTREPOT_SERVICES_RUNTIME_TLS_CERTIFICATE_PAIR_H_

#include <string>

#include "absl/status/status.h"
#include "boost/asio/ssl/context.hpp"

namespace entrepot::runtime {

// A certificate with its chain, and its key, as PEM. Messages name the files that they were read from.
struct CertificatePair {
  std::string certificate_file;
  std::string private_key_file;
  std::string certificate;
  std::string private_key;
};

// Makes `context` use the pair. kInvalidArgument: one of them is not PEM, or the two do not belong together; the
// message names the file.
absl::Status UseCertificatePair(const CertificatePair& pair, boost::asio::ssl::context* context);

// When the certificate of the context expires, in seconds since 1970.
double ExpirySeconds(boost::asio::ssl::context& context);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TLS_CERTIFICATE_PAIR_H_
