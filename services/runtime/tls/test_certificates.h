#ifndef ENTREPOT_SERVICES_RUNTIME_TLS_TEST_CERTIFICATES_H_
#define ENTREPOT_SERVICES_RUNTIME_TLS_TEST_CERTIFICATES_H_

#include <memory>
#include <string>
#include <vector>

namespace entrepot::runtime {

// A certificate authority for tests.
class TestCa {
 public:
  struct Issued {
    std::string certificate;  // PEM.
    std::string private_key;  // PEM.
  };

  TestCa();
  ~TestCa();

  std::string Pem() const;
  // Issues a certificate that is valid for a day. `names` are in the syntax of OpenSSL's subjectAltName: "DNS:blob",
  // "URI:spiffe://x/blob", "IP:127.0.0.1".
  Issued Issue(const std::vector<std::string>& names) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Replaces a file atomically.
void ReplaceFile(const std::string& path, const std::string& contents);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TLS_TEST_CERTIFICATES_H_
