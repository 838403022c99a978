#ifndef ENTREPOT_TESTS_HOSTILE_REQUEST_GRAMMAR_H_
#define ENTREPOT_TESTS_HOSTILE_REQUEST_GRAMMAR_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entrepot::tests {

struct GeneratedRequest {
  std::string method;
  std::string bytes;
  // Whether `bytes` may end before the request does. Then no other request can follow on the connection.
  bool may_be_incomplete = false;
};

// Generates requests to a registry from a grammar of valid, nearly valid and invalid parts: real routes with odd names,
// digests and sessions, contradictory fields, and bodies that do not match their fields. The same seed gives the same
// requests, except for sessions learned from the registry. Not thread-safe.
class RequestGrammar {
 public:
  explicit RequestGrammar(uint64_t seed) : random_(seed) {}

  GeneratedRequest Next();
  // Adds an upload's Location for later requests.
  void LearnLocation(absl::string_view location);

 private:
  bool Chance(double probability);
  size_t Below(size_t bound);
  template <size_t N>
  std::string Pick(const char* const (&choices)[N]) {
    return choices[Below(N)];
  }
  std::string RandomBytes(size_t count);

  std::string Name();
  std::string TagText();
  std::string DigestText();
  std::string Number();
  std::string Target();
  std::string Query();
  std::string UploadTarget();
  std::string Body();
  std::string ManifestBody();
  std::string Fields();
  // Appends framing fields and body. Returns whether the two may disagree.
  bool AppendBody(const std::string& body, std::string* request);

  std::mt19937_64 random_;
  std::vector<std::string> locations_;
};

}  // namespace entrepot::tests

#endif  // ENTREPOT_TESTS_HOSTILE_REQUEST_GRAMMAR_H_
