// Package providertest is what every provider must do, as tests: Run exercises a provider through step.Provider
// alone, on a cloud that the provider's own test supplies.
package providertest
