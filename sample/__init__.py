"""The sample fund: four simple strategies traded on real daily prices, labelled "sample" wherever it shows."""
